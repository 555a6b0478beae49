"""The unit and the plist, rendered from the templates that come with the package. Pure but for `template`."""

import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers.expat import ExpatError

from pi_opensync.errors import ConfigurationError, PiOpensyncError

SYSTEMD_TEMPLATE = "systemd/pi-opensync.service"
LAUNCHD_TEMPLATE = "launchd/dev.opensync.pi.plist"
LABEL = "dev.opensync.pi"
LOG_FILE = "pi-opensync.log"
WATCH = ("watch",)
WATCH_LOCAL = ("watch", "--local", "--no-link")
STEPS_SINCE = 254  # the systemd that learned RestartSteps
_REFUSED = frozenset("\"'\\")  # in the name of a program, by systemd
_BLOCK = ("# [namespaces]", "# [/namespaces]")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the service runs and where it may write.

    `interpreter` is the Python that has the package, `roots` the session folders that it reads,
    `environment` what it needs of the shell's to find its configuration and its way out, and `command` the
    words after `pi-opensync`.
    """

    interpreter: Path
    state: Path
    roots: tuple[Path, ...]
    logs: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = WATCH


def template(name: str) -> str:
    """A template of the installed package, or of the checkout that it runs from."""
    package = Path(__file__).parent.parent
    for folder in (package, package.parent):
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise PiOpensyncError(f"{name} is missing from the package", hint="install pi-opensync again")


def systemd_unit(text: str, plan: Plan, *, version: int, namespaces: bool = True) -> str:
    """The unit of a template, for that version of systemd; `namespaces`: the kernel gives them to users.

    Raises `ConfigurationError` for a path that a unit can not hold.
    """
    program = str(plan.interpreter)
    if not _REFUSED.isdisjoint(program):
        raise ConfigurationError(
            f"systemd runs no program of this name: {program}",
            hint="install pi-opensync in a folder whose path has no quotes and backslashes",
        )
    values = {
        "@interpreter@": _quoted(program),
        "@command@": " ".join(plan.command),
        "@environment@": "\n".join(
            f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(plan.environment.items())
        ),
        "@backoff@": "RestartSec=5\nRestartSteps=8\nRestartMaxDelaySec=5min"
        if version >= STEPS_SINCE
        else "RestartSec=30",
        "@writable@": _quoted(f"-{plan.state}"),
    }
    before, _, rest = text.partition(_BLOCK[0] + "\n")
    block, _, after = rest.partition(_BLOCK[1] + "\n")
    text = before + (block if namespaces else "") + after
    lines = text.partition("\n\n")[2].splitlines()  # without the remark that it is a template
    filled: list[str] = []
    for line in lines:
        value = line
        for name, insert in values.items():
            value = value.replace(name, insert)
        if value or not line:
            filled.append(value)
    return "\n".join(filled) + "\n"


def launchd_plist(text: str, plan: Plan) -> bytes:
    """The plist of a template, with the program, its environment and its log file."""
    value = plistlib.loads(text.encode())
    log = plan.logs / LOG_FILE
    value |= {
        "ProgramArguments": [
            *(str(plan.interpreter), "-m", "pi_opensync.service.launched", str(log)),
            *plan.command,
        ],
        "WorkingDirectory": str(plan.home),
        # Only what is said before the log file is open, or by Python as it dies.
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": str(plan.logs / "launchd.log"),
        "EnvironmentVariables": value["EnvironmentVariables"] | dict(plan.environment),
    }
    return plistlib.dumps(value)


def unit_interpreter(text: str) -> Path | None:
    """The interpreter that a unit of ours runs."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "ExecStart" and value.startswith('"'):
            return Path(_unquoted(value))
    return None


def plist_interpreter(data: bytes) -> Path | None:
    """The interpreter that a plist of ours runs."""
    try:
        arguments = plistlib.loads(data)["ProgramArguments"]
        return Path(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError, ExpatError):
        return None


def _quoted(text: str) -> str:
    """A word of a unit file: quoted, with specifiers and escapes taken literally (systemd.syntax)."""
    if not text.isprintable():
        raise ConfigurationError(
            f"a service can not be given {text!r}", hint="use a path without control characters"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _unquoted(value: str) -> str:
    word: list[str] = []
    characters = iter(value[1:])
    for character in characters:
        if character == '"':
            break
        word.append(next(characters, "") if character == "\\" else character)
    return "".join(word).replace("%%", "%")
