"""The address of an OpenSync."""

from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def normalise_url(value: str) -> str:
    """The base URL of OpenSync's HTTP actions. Raises `ValueError` saying what would do.

    Convex serves HTTP actions under `.convex.site`; the dashboard shows `.convex.cloud`.
    """
    parts = urlsplit(value.strip().rstrip("/"))
    host = parts.hostname or ""
    try:
        is_port = parts.port != 0
    except ValueError:  # it repeats what stands there, which may be a password
        is_port = False
    if not is_port:
        raise ValueError("expected a port from 1 to 65535")
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("expected a URL such as https://your-deployment.convex.cloud")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("expected a bare URL, without user, query or fragment")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("plain http is allowed only to this machine; use https")
    netloc = parts.netloc.lower()
    if host.endswith(".convex.cloud"):
        netloc = netloc.replace(".convex.cloud", ".convex.site", 1)
    return f"{parts.scheme}://{netloc}{parts.path}"


def state_folder(state_dir: Path, base_url: str) -> Path:
    """The state of one server: what one has acknowledged says nothing about another."""
    return state_dir / sha256(base_url.encode()).hexdigest()[:12]
