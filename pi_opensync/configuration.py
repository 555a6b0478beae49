"""The configuration file: where it is, what it holds, whether it changed."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pi_opensync.errors import ConfigurationError, writing
from pi_opensync.files import at_home, read_regular, require_private_file, write_private

ENV_PREFIX = "PI_OPENSYNC_"


def config_path(env: Mapping[str, str]) -> Path:
    """The configuration file that `login` writes and every command reads."""
    if named := env.get(ENV_PREFIX + "CONFIG"):
        return at_home(named).absolute()
    return _config_home(env) / "pi-opensync" / "config.json"


def plugin_config_path(env: Mapping[str, str]) -> Path:
    """The configuration file of pi-opensync-plugin."""
    return _config_home(env) / "pi-opensync-plugin" / "config.json"


def _config_home(env: Mapping[str, str]) -> Path:
    if named := env.get("XDG_CONFIG_HOME"):
        return Path(named)
    return Path(env.get("HOME") or Path.home()) / ".config"


def read_file(path: Path) -> dict[str, Any]:
    """The file as an object, empty if it does not exist. Raises `ConfigurationError`."""
    try:
        require_private_file(path)
        text = read_regular(path).decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"can not read {path}: {reason}", hint=f"check `ls -l {path}`") from None
    try:
        value = json.loads(text)
    except ValueError:
        raise ConfigurationError(
            f"{path} is not valid JSON", hint="fix it, or write it anew with `pi-opensync login`"
        ) from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} does not hold a JSON object", hint="expected {...}")
    return value


def stated(env: Mapping[str, str], in_file: Mapping[str, Any], variable: str, key: str) -> Any:
    """What the environment or the file says, in this order; None where neither does."""
    if env.get(variable):
        return env[variable]
    return None if in_file.get(key) == "" else in_file.get(key)


def default_state_dir() -> Path:
    """Where the state is kept unless the settings name a folder: as platformdirs says.

    On Linux it is not asked: loading it takes as long as all else that a short command does of ours.
    """
    if sys.platform == "linux":
        named = Path(os.environ.get("XDG_STATE_HOME", ""))
        return (named if named.is_absolute() else Path.home() / ".local/state") / "pi-opensync"
    import platformdirs  # noqa: PLC0415

    return platformdirs.user_state_path("pi-opensync")


def write_file(path: Path, value: Mapping[str, Any]) -> None:
    """Put these settings in the place of what the file holds. Raises `ConfigurationError`."""
    with writing(path):
        write_private(path, json.dumps(value, indent=2) + "\n", durable=True)


def refuse_open_file(path: Path) -> None:
    """Raise `ConfigurationError` where others than the user could read a key in the file."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return
    if mode & 0o077 and "apiKey" in read_file(path):
        raise ConfigurationError(
            f"{path} holds a key and others may read it (mode {mode:04o})", hint=f"chmod 600 {path}"
        )


def open_plugin_file(env: Mapping[str, str]) -> Path | None:
    """The plugin's file, as the plugin made it, where it is in use and others may read its key."""
    path = file_in_use(env)
    if path != plugin_config_path(env):
        return None
    try:
        refuse_open_file(path)
    except ConfigurationError:
        return path
    return None


def file_in_use(env: Mapping[str, str]) -> Path:
    """Our own file, or the plugin's where ours does not exist and the plugin's does."""
    own = config_path(env)
    plugin = plugin_config_path(env)
    return plugin if not own.exists() and ENV_PREFIX + "CONFIG" not in env and plugin.exists() else own


@lru_cache(maxsize=4)
def _paths(config: str | None, config_home: str | None, home: str | None) -> tuple[str, ...]:
    """Our own file and the plugin's, where variables are so; the first that is there is in use."""
    given = {ENV_PREFIX + "CONFIG": config, "XDG_CONFIG_HOME": config_home, "HOME": home}
    env = {name: value for name, value in given.items() if value is not None}
    if config is not None:
        return (str(config_path(env)),)
    return str(config_path(env)), str(plugin_config_path(env))


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells whether the configuration file is still the one that was read; to be taken before it is."""

    value: tuple[str, int, int] | None

    @classmethod
    def take(cls) -> "Stamp":
        """The stamp of the file in use now, as `file_in_use` chooses it."""
        named = (os.environ.get(name) for name in (ENV_PREFIX + "CONFIG", "XDG_CONFIG_HOME", "HOME"))
        for path in _paths(*named):
            try:
                status = os.stat(path)  # noqa: PTH116 - it is looked at before every request
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                break
            return cls((path, status.st_mtime_ns, status.st_ino))
        return cls(None)

    def is_outdated(self) -> bool:
        """Whether the file was changed since."""
        return Stamp.take() != self
