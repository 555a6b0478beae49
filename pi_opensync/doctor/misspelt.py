"""Settings that do not exist, and so are not heeded, each with the nearest that does."""

from collections.abc import Mapping

from pi_opensync.configuration import ENV_PREFIX, file_in_use, read_file
from pi_opensync.settings import DESCRIBED


def unknown(env: Mapping[str, str]) -> dict[str, str | None]:
    """What is set and means nothing, in the file or the environment, each with the nearest that does."""
    keys: dict[str, str] = {}
    variables: dict[str, str] = {}
    for about in DESCRIBED.values():
        for meant in (about.variable.removeprefix(ENV_PREFIX), about.key):
            keys[_letters(meant)], variables[_letters(meant)] = about.key, about.variable
    stated = [name for name in read_file(file_in_use(env)) if name not in keys.values()]
    given = [name for name in env if name.startswith(ENV_PREFIX) and name not in variables.values()]
    given = [name for name in given if name != ENV_PREFIX + "CONFIG"]
    return {name: _nearest(name, keys) for name in stated} | {
        name: _nearest(name.removeprefix(ENV_PREFIX), variables) for name in given
    }


def _nearest(name: str, known: Mapping[str, str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - few have such a setting

    found = get_close_matches(_letters(name), known, n=1)
    return known[found[0]] if found else None


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def said_of_unknown(name: str, meant: str | None) -> str:
    return f"{name} is no setting" + (f", did you mean {meant}?" if meant else "")
