"""The address of an OpenSync."""

import re
from pathlib import Path
from urllib.parse import urlsplit

_HOST = re.compile(r"(?i)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
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


def host_name(text: str) -> str:
    """The name that a browser would send in Host: of a URL, with or without scheme and port.

    Raises `ValueError` for what no browser can send.
    """
    parts = urlsplit(text if "://" in text else f"//{text}")
    more = parts.username or parts.path.strip("/") or parts.query or parts.fragment
    parts.port  # noqa: B018 - raises for a port that is none
    named = (parts.hostname or "").rstrip(".")
    found = _address(named) if ":" in named else named.encode("idna").decode()
    if more or not (":" in found or _HOST.fullmatch(found)):
        raise ValueError("not the name of a host")
    return found


def _address(text: str) -> str:
    from ipaddress import ip_address  # noqa: PLC0415 - most commands never need it

    return str(ip_address(text))


def state_folder(state_dir: Path, base_url: str) -> Path:
    """The state of one server: what one has acknowledged says nothing about another."""
    from hashlib import sha256  # noqa: PLC0415 - loads a library that most commands do without

    return state_dir / sha256(base_url.encode()).hexdigest()[:12]
