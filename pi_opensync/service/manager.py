"""Who runs services on this machine, and what ours is given of the settings and the environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pi_opensync import configuration, settings
from pi_opensync.errors import ConfigurationError
from pi_opensync.pi import discover
from pi_opensync.service.commands import Run
from pi_opensync.service.launchd import Launchd
from pi_opensync.service.state import State
from pi_opensync.service.systemd import Systemd
from pi_opensync.service.units import WATCH, WATCH_LOCAL, Plan
from pi_opensync.settings import Secret, Settings

PI_VARIABLES = ("PI_CODING_AGENT_DIR", "PI_CODING_AGENT_SESSION_DIR")
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
# What says where the configuration is and how to get out; a service has no shell to take it from.
CARRIED = (
    "PI_OPENSYNC_CONFIG",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *(name for low in (*_PROXIES, "no_proxy") for name in (low, low.upper())),
)


class Service(Protocol):
    """A manager of services; `notes` is what a user should hear about the installation."""

    name: str
    path: Path
    notes: list[str]

    def render(self, plan: Plan) -> str: ...
    def require(self, plan: Plan) -> None: ...
    def install(self, plan: Plan) -> None: ...
    def uninstall(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def restart(self) -> None: ...
    def state(self) -> State: ...
    def logs_command(self, *, follow: bool) -> list[str]: ...
    def logs_hint(self) -> str: ...


def choose(platform: str, home: Path, env: Mapping[str, str], run: Run) -> Service:
    """The manager of this platform (as `sys.platform` names it). Raises `ConfigurationError`."""
    if platform.startswith("linux"):
        return Systemd(run, home, env)
    if platform == "darwin":
        return Launchd(run, home, env, uid=os.getuid())
    raise ConfigurationError(
        f"no service manager is known for {platform}", hint="run `pi-opensync watch --once` from a scheduler"
    )


def plan(
    chosen: Settings, env: Mapping[str, str], home: Path, *, local: bool = False, port: int | None = None
) -> Plan:
    """What the service is to run: this very interpreter, with these settings.

    `local`: its own dashboard, at `port` if that is not the usual one. Raises `ConfigurationError` where a
    proxy's password would be written down.
    """
    place = () if port is None else ("--port", str(port))
    return Plan(
        interpreter=Path(sys.executable),
        state=chosen.state_dir,
        roots=discover.roots(chosen.sessions_dir, env, home),
        logs=home / "Library" / "Logs" / "pi-opensync",
        home=home,
        environment=_without_passwords(carried(env)),
        command=(*WATCH_LOCAL, *place) if local else WATCH,
    )


def carried(env: Mapping[str, str]) -> dict[str, str]:
    """What of the environment a service is given."""
    return {name: env[name] for name in CARRIED if env.get(name)}


def _without_passwords(given: dict[str, str]) -> dict[str, str]:
    """Raises `ConfigurationError` for a proxy's password: it would stand in the service's file."""
    secret = [name for name, value in given.items() if name.lower() in _PROXIES and _has_password(value)]
    if secret:
        raise ConfigurationError(
            f"{' and '.join(secret)} holds a password, and a service's file is no place for one",
            hint=f"unset {' and '.join(secret)}, or name a proxy that needs no password, such as one on this "
            "machine that logs in for you",
        )
    return given


def _has_password(proxy: str) -> bool:
    """Whether a proxy's URL carries one, with or without a scheme before it."""
    try:
        return urlsplit(proxy if "://" in proxy else f"//{proxy}").password is not None
    except ValueError:
        return "@" in proxy


def only_in_environment(env: Mapping[str, str], home: Path) -> dict[str, tuple[str, Any]]:
    """Settings that a service would not see: by variable, the file's key and the value that it needs.

    Raises `ConfigurationError` as `settings.load`.
    """
    path = configuration.file_in_use(env)
    in_file = configuration.read_file(path)
    here = settings.gather(env, path, in_file)
    there = settings.gather(_without_variables(env), path, in_file)
    found: dict[str, tuple[str, Any]] = {}
    for name, about in settings.DESCRIBED.items():
        if getattr(here, name) != getattr(there, name):
            found[about.variable] = (about.key, _as_json(getattr(here, name)))
    if not here.sessions_dir:
        folders = discover.roots((), env, home)
        elsewhere = {name: value for name, value in env.items() if name not in PI_VARIABLES}
        if folders != discover.roots((), elsewhere, home):
            variables = " and ".join(name for name in PI_VARIABLES if env.get(name))
            found[variables] = ("sessionsDir", [str(folder) for folder in folders])
    return found


def _without_variables(env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in env.items() if not name.startswith(configuration.ENV_PREFIX)}
    return kept | carried(env)


def _as_json(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value
