"""One frozen object of settings: flags, then environment, then file, field by field.

The file's keys and the environment's names are those of pi-opensync-plugin, so that its users need to
configure nothing again. Values that are plainly right are taken as they are; all others are judged, and what
is wrong with them is said, by pydantic-settings, which takes longer to load than most commands run.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pi_opensync.address import host_name, normalise_url
from pi_opensync.configuration import (
    default_state_dir,
    file_in_use,
    plugin_config_path,
    read_file,
    refuse_open_file,
    stated,
)
from pi_opensync.errors import ConfigurationError
from pi_opensync.files import at_home
from pi_opensync.setting import Described, described, plainly, setting

_PATTERN = re.compile(
    rf"(?:[A-Za-z]:(?=\\)|[A-Z]:(?=/))?[^{os.pathsep}]+"
)  # with a drive's letter, or without
_FLAGS = {"convex_url": "--url", "api_key": "the key"}  # as a user knows what is given by hand


class Secret:
    """A key that is in no text made of what holds it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _host() -> str:
    """The host's name without its domain, which is another in each network."""
    return os.uname().nodename.partition(".")[0][:100] or "this machine"


def _key(value: str) -> Secret:
    key = value.strip()
    if not key.startswith("osk_") or not key.isascii() or any(c.isspace() for c in key):
        raise ValueError("an OpenSync key begins with osk_ (dashboard: Settings, API keys)")
    return Secret(key)


def _folders(value: Any) -> Any:
    if isinstance(value, str):
        value = [part for part in value.split(os.pathsep) if part]
    if isinstance(value, list | tuple):
        return tuple(at_home(str(part)) for part in value)
    return value


def _folder(value: Path) -> Path:
    return at_home(value).absolute()


def patterns(value: Any) -> Any:
    """A list of patterns, also where it is given as one string with the system's separator of paths.

    The colon behind a drive's letter separates nothing.
    """
    return _PATTERN.findall(value) if isinstance(value, str) else value


def _words(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


def _host_names(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


def _as_sent(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(host_name(name.strip()) for name in value)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user chose; `named` are the fields that flags, environment or file name.

    Made by `load`; who makes one by hand gives values as they are, not as a user writes them.
    """

    convex_url: str | None = setting(
        None,
        "CONVEX_URL",
        "convexUrl",
        "Your OpenSync deployment, as its settings page shows it.",
        after=normalise_url,
    )
    api_key: Secret | None = setting(  # noqa: RUF009 - it makes a field
        None,
        "API_KEY",
        "apiKey",
        "A key of your OpenSync account, `osk_...`.",
        after=_key,
        kind=str,
    )
    auto_sync: bool = setting(
        True, "AUTO_SYNC", "autoSync", "`false`: nothing is sent by itself, only by `sync`."
    )
    sync_tool_calls: bool = setting(
        False,
        "TOOL_CALLS",
        "syncToolCalls",
        "Send tool calls, their results and your own `!commands`.",
    )
    sync_thinking: bool = setting(False, "THINKING", "syncThinking", "Send the model's thinking.")
    debug: bool = setting(False, "DEBUG", "debug", "More log lines; never content or keys.")
    timestamps: Literal["transcript", "server"] = setting(
        "transcript",
        "TIMESTAMPS",
        "timestamps",
        "`server`: faster on OpenSync, but everything is dated by its arrival.",
    )
    include: tuple[str, ...] = setting(
        (),
        "INCLUDE",
        "include",
        "Only these projects leave: folders, or globs as in a `.gitignore`.",
        before=patterns,
    )
    exclude: tuple[str, ...] = setting(
        (),
        "EXCLUDE",
        "exclude",
        "These projects stay here: folders, or globs as in a `.gitignore`.",
        before=patterns,
    )
    redact: bool = setting(True, "REDACT", "redact", "`false`: secrets are left in what is kept and sent.")
    redact_patterns: tuple[str, ...] = setting(
        (),
        "REDACT_PATTERNS",
        "redactPatterns",
        "More to redact: regular expressions (RE2).",
        before=_one_or_more,
    )
    redact_emails: bool = setting(False, "REDACT_EMAILS", "redactEmails", "Redact e-mail addresses.")
    redact_home: bool = setting(False, "REDACT_HOME", "redactHome", "Redact the path of your home folder.")
    redact_received: bool = setting(
        True,
        "REDACT_RECEIVED",
        "redactReceived",
        "Redact what plugins send to your own dashboard.",
    )
    own_server: bool = setting(
        False,
        "OWN_SERVER",
        "ownServer",
        "The server is a `pi-opensync serve`, which takes more than OpenSync does; `login` finds out.",
    )
    host_names: tuple[str, ...] = setting(
        (),
        "HOST_NAMES",
        "hostNames",
        "Names that your own dashboard answers to besides this machine's, such as that of a proxy with TLS.",
        before=_host_names,
        after=_as_sent,
    )
    machine: str = setting(
        _host,
        "MACHINE",
        "machine",
        "The name of this machine on a dashboard of your own; OpenSync is not told.",
        min_length=1,
        max_length=100,
    )
    budget_daily: float | None = setting(
        None,
        "BUDGET_DAILY",
        "budgetDaily",
        "US dollars a day; the numbers page says when it is passed.",
        gt=0,
    )
    budget_monthly: float | None = setting(
        None, "BUDGET_MONTHLY", "budgetMonthly", "US dollars a month; the same.", gt=0
    )
    notify: bool = setting(
        True,
        "NOTIFY",
        "notify",
        "`false`: no notification when the key is refused, nothing is delivered or a budget is passed.",
    )
    notify_command: tuple[str, ...] = setting(
        (),
        "NOTIFY_COMMAND",
        "notifyCommand",
        "A program that is run with the notification's text.",
        before=_words,
    )
    sessions_dir: tuple[Path, ...] = setting(
        (),
        "SESSIONS_DIR",
        "sessionsDir",
        "Folders of sessions, instead of those that pi's settings name.",
        before=_folders,
    )
    trusted_session_dirs: tuple[Path, ...] = setting(
        (),
        "TRUSTED_SESSION_DIRS",
        "trustedSessionDirs",
        "Folders of sessions that a project's `.pi/settings.json` may name outside that project.",
        before=_folders,
    )
    state_dir: Path = setting(  # noqa: RUF009 - it makes a field
        default_state_dir,
        "STATE_DIR",
        "stateDir",
        "Where pi-opensync keeps its state.",
        after=_folder,
    )
    named: frozenset[str] = field(default=frozenset(), compare=False)

    def but(self, **changes: Any) -> "Settings":
        """These with other values."""
        return replace(self, **changes)

    @staticmethod
    def shown() -> tuple[str, ...]:
        """The settings that decide what of a session is shown: each is an option of the same name."""
        return tuple(name for name in DESCRIBED if name.startswith("sync_"))

    @property
    def takes_extras(self) -> bool:
        """Whether the server takes what OpenSync does not, which would refuse a batch for it."""
        host = urlsplit(self.convex_url or "").hostname or ""
        return self.own_server and not host.endswith(".convex.site")

    def require_server(self) -> tuple[str, Secret]:
        """Return (base URL, key). Raises `ConfigurationError` that says how to log in."""
        missing = [name for name, value in (("URL", self.convex_url), ("key", self.api_key)) if value is None]
        if self.convex_url is None or self.api_key is None:
            raise ConfigurationError(
                f"no OpenSync {' and no '.join(missing)} configured",
                hint="run `pi-opensync login`; or `pi-opensync start`, which needs no account",
            )
        return self.convex_url, self.api_key


DESCRIBED: Mapping[str, Described] = {
    each.name: described(each) for each in fields(Settings) if each.metadata
}


def load(env: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Settings from flags (None means not given), environment and file.

    Raises `ConfigurationError` naming the field, where its value came from, and what would do.
    """
    env = os.environ if env is None else env
    path = file_in_use(env)
    if path != plugin_config_path(env):
        refuse_open_file(path)  # the plugin's file is as the plugin made it
    return gather(env, path, read_file(path), **flags)


def gather(env: Mapping[str, str], path: Path, in_file: Mapping[str, Any], **flags: Any) -> Settings:
    """Settings from flags, environment and what the file at `path` holds. Raises as `load`."""
    given = {name: value for name, value in flags.items() if value is not None}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, about in DESCRIBED.items():
        if name in given:
            values[name], sources[name] = given[name], _FLAGS.get(name, f"--{name.replace('_', '-')}")
        elif (value := stated(env, in_file, about.variable, about.key)) is not None:
            values[name] = value
            sources[name] = about.variable if env.get(about.variable) else f'"{about.key}" in {path}'
    try:
        judged = {name: plainly(DESCRIBED[name], value) for name, value in values.items()}
    except (ValueError, KeyError):
        judged = _judged(values, sources)
    return Settings(**judged, named=frozenset(values))


def _judged(values: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    from pi_opensync import judging  # noqa: PLC0415 - it takes longer to load than most commands run

    try:
        return judging.judged(values, DESCRIBED)
    except judging.WrongSettingError as wrong:
        source = sources.get(wrong.name, wrong.name)
        raise ConfigurationError(f"{source}: {wrong.reason}", hint=_would_do(wrong.name)) from None


_WOULD_DO = {
    "budget_daily": "use a sum in US dollars, such as 20",
    "budget_monthly": "use a sum in US dollars, such as 20",
    "host_names": "use one or more names of hosts, such as sessions.example.com",
    "timestamps": 'use "transcript" or "server"',
    "state_dir": "use the path of a folder",
    "sessions_dir": f"use one or more folders, separated by {os.pathsep!r}",
    "trusted_session_dirs": f"use one or more folders, separated by {os.pathsep!r}",
}


def _would_do(name: str) -> str | None:
    return "use true or false" if DESCRIBED[name].kind is bool else _WOULD_DO.get(name)
