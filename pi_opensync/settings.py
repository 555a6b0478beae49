"""One frozen object of settings: flags, then environment, then file, field by field.

The file's keys and the environment's names are those of pi-opensync-plugin, so that its users need to
configure nothing again.
"""

import os
import re
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pi_opensync.address import normalise_url
from pi_opensync.configuration import (
    ENV_PREFIX,
    default_state_dir,
    file_in_use,
    plugin_config_path,
    read_file,
    refuse_open_file,
    stated,
)
from pi_opensync.errors import ConfigurationError

_PATTERN = re.compile(
    rf"(?:[A-Za-z]:(?=\\)|[A-Z]:(?=/))?[^{os.pathsep}]+"
)  # with a drive's letter, or without
_FLAGS = {"convex_url": "--url", "api_key": "the key"}  # as a user knows what is given by hand


def _host() -> str:
    """The host's name without its domain, which is another in each network."""
    return socket.gethostname().partition(".")[0][:100] or "this machine"


def _setting(env: str, key: str, what: str, **checks: Any) -> Any:
    """A field by its names in the environment and in the file; `what` it does, for the page of settings."""
    return Field(validation_alias=AliasChoices(ENV_PREFIX + env, key), description=what, **checks)


class Settings(BaseSettings):
    """What the user chose. Raises `ConfigurationError` through `load`, never a pydantic error."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    convex_url: Annotated[
        str | None,
        _setting("CONVEX_URL", "convexUrl", "Your OpenSync deployment, as its settings page shows it."),
    ] = None
    api_key: Annotated[
        SecretStr | None, _setting("API_KEY", "apiKey", "A key of your OpenSync account, `osk_...`.")
    ] = None
    auto_sync: Annotated[
        bool, _setting("AUTO_SYNC", "autoSync", "`false`: nothing is sent by itself, only by `sync`.")
    ] = True
    sync_tool_calls: Annotated[
        bool,
        _setting("TOOL_CALLS", "syncToolCalls", "Send tool calls, their results and your own `!commands`."),
    ] = False
    sync_thinking: Annotated[bool, _setting("THINKING", "syncThinking", "Send the model's thinking.")] = False
    debug: Annotated[bool, _setting("DEBUG", "debug", "More log lines; never content or keys.")] = False
    timestamps: Annotated[
        Literal["transcript", "server"],
        _setting(
            "TIMESTAMPS",
            "timestamps",
            "`server`: faster on OpenSync, but everything is dated by its arrival.",
        ),
    ] = "transcript"
    include: Annotated[
        tuple[str, ...],
        NoDecode,
        _setting("INCLUDE", "include", "Only these projects leave: folders, or globs as in a `.gitignore`."),
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        NoDecode,
        _setting("EXCLUDE", "exclude", "These projects stay here: folders, or globs as in a `.gitignore`."),
    ] = ()
    redact: Annotated[
        bool, _setting("REDACT", "redact", "`false`: secrets are left in what is kept and sent.")
    ] = True
    redact_patterns: Annotated[
        tuple[str, ...],
        NoDecode,
        _setting("REDACT_PATTERNS", "redactPatterns", "More to redact: regular expressions (RE2)."),
    ] = ()
    redact_emails: Annotated[bool, _setting("REDACT_EMAILS", "redactEmails", "Redact e-mail addresses.")] = (
        False
    )
    redact_home: Annotated[
        bool, _setting("REDACT_HOME", "redactHome", "Redact the path of your home folder.")
    ] = False
    redact_received: Annotated[
        bool, _setting("REDACT_RECEIVED", "redactReceived", "Redact what plugins send to your own dashboard.")
    ] = True
    own_server: Annotated[
        bool,
        _setting(
            "OWN_SERVER",
            "ownServer",
            "The server is a `pi-opensync serve`, which takes more than OpenSync does; `login` finds out.",
        ),
    ] = False
    machine: Annotated[
        str,
        _setting(
            "MACHINE",
            "machine",
            "The name of this machine on a dashboard of your own; OpenSync is not told.",
            min_length=1,
            max_length=100,
        ),
    ] = Field(default_factory=_host)
    budget_daily: Annotated[
        float | None,
        _setting(
            "BUDGET_DAILY", "budgetDaily", "US dollars a day; the numbers page says when it is passed.", gt=0
        ),
    ] = None
    budget_monthly: Annotated[
        float | None,
        _setting("BUDGET_MONTHLY", "budgetMonthly", "US dollars a month; the same.", gt=0),
    ] = None
    notify: Annotated[
        bool,
        _setting(
            "NOTIFY",
            "notify",
            "`false`: no notification when the key is refused, nothing is delivered or a budget is passed.",
        ),
    ] = True
    notify_command: Annotated[
        tuple[str, ...],
        NoDecode,
        _setting("NOTIFY_COMMAND", "notifyCommand", "A program that is run with the notification's text."),
    ] = ()
    sessions_dir: Annotated[
        tuple[Path, ...],
        NoDecode,
        _setting(
            "SESSIONS_DIR", "sessionsDir", "Folders of sessions, instead of those that pi's settings name."
        ),
    ] = ()
    trusted_session_dirs: Annotated[
        tuple[Path, ...],
        NoDecode,
        _setting(
            "TRUSTED_SESSION_DIRS",
            "trustedSessionDirs",
            "Folders of sessions that a project's `.pi/settings.json` may name outside that project.",
        ),
    ] = ()
    state_dir: Annotated[Path, _setting("STATE_DIR", "stateDir", "Where pi-opensync keeps its state.")] = (
        Field(default_factory=default_state_dir)
    )

    @classmethod
    def shown(cls) -> tuple[str, ...]:
        """The settings that decide what of a session is shown: each is an option of the same name."""
        return tuple(name for name in cls.model_fields if name.startswith("sync_"))

    @field_validator("convex_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        return None if value is None else normalise_url(value)

    @field_validator("api_key")
    @classmethod
    def _osk(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not key.startswith("osk_") or not key.isascii() or any(c.isspace() for c in key):
            raise ValueError("an OpenSync key begins with osk_ (dashboard: Settings, API keys)")
        return SecretStr(key)

    @field_validator("sessions_dir", "trusted_session_dirs", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            value = [part for part in value.split(os.pathsep) if part]
        if isinstance(value, list | tuple):
            return tuple(Path(str(part)).expanduser() for part in value)
        return value

    @field_validator("include", "exclude", mode="before")
    @classmethod
    def _patterns(cls, value: object) -> object:
        return patterns(value)

    @field_validator("notify_command", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return shlex.split(value) if isinstance(value, str) else value

    @field_validator("redact_patterns", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("state_dir")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` gathered: it alone knows where each value came from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def takes_extras(self) -> bool:
        """Whether the server takes what OpenSync does not, which would refuse a batch for it."""
        host = urlsplit(self.convex_url or "").hostname or ""
        return self.own_server and not host.endswith(".convex.site")

    def require_server(self) -> tuple[str, SecretStr]:
        """Return (base URL, key). Raises `ConfigurationError` that says how to log in."""
        missing = [name for name, value in (("URL", self.convex_url), ("key", self.api_key)) if value is None]
        if self.convex_url is None or self.api_key is None:
            raise ConfigurationError(
                f"no OpenSync {' and no '.join(missing)} configured",
                hint="run `pi-opensync login`; or `pi-opensync start`, which needs no account",
            )
        return self.convex_url, self.api_key


def patterns(value: Any) -> Any:
    """A list of patterns, also where it is given as one string with the system's separator of paths.

    The colon behind a drive's letter separates nothing.
    """
    return _PATTERN.findall(value) if isinstance(value, str) else value


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
    given = {key: value for key, value in flags.items() if value is not None}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        if not isinstance(alias, AliasChoices):
            continue
        env_name, key = str(alias.choices[0]), str(alias.choices[1])
        if name in given:
            values[name], sources[name] = given[name], _FLAGS.get(name, f"--{name.replace('_', '-')}")
        elif (value := stated(env, in_file, env_name, key)) is not None:
            values[name] = value
            sources[name] = env_name if env.get(env_name) else f'"{key}" in {path}'
    try:
        return Settings(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field_name = str(problem["loc"][0])
        source = next((s for n, s in sources.items() if field_name in (n, *names_of(n))), field_name)
        reason = problem["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{source}: {reason}", hint=_would_do(field_name)) from None


def names_of(name: str) -> tuple[str, ...]:
    """What a field is called in the environment and in the file."""
    alias = Settings.model_fields[name].validation_alias
    return tuple(str(choice) for choice in alias.choices) if isinstance(alias, AliasChoices) else ()


def _would_do(field_name: str) -> str | None:
    for name, field in Settings.model_fields.items():
        if field_name in (name, *names_of(name)):
            if field.annotation is bool:
                return "use true or false"
            if name.startswith("budget_"):
                return "use a sum in US dollars, such as 20"
            if name == "timestamps":
                return 'use "transcript" or "server"'
            if name == "state_dir":
                return "use the path of a folder"
            if name in {"sessions_dir", "trusted_session_dirs"}:
                return f"use one or more folders, separated by {os.pathsep!r}"
    return None
