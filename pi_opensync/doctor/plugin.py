"""pi-opensync-plugin in pi as well: both at work send every message twice.

pi loads packages that its settings name, extensions that they name, and what lies in `extensions` folders;
of the agent folder and of the project that it runs in (pi's docs, settings.md and packages.md).
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.texts import shown

NAME = "pi-opensync-plugin"


def plugin(agent: Path, working_directory: Path, configuration: dict[str, Any]) -> Check:
    """`configuration` is the plugin's own; with `autoSync` false it sends nothing."""
    found = [*_found(agent, "pi remove"), *_found(working_directory / ".pi", "pi remove -l")]
    if not found:
        return ok("plugin", "not in pi")
    where, mend = found[0]
    if configuration.get("autoSync") is False:
        return warn("plugin", f"{NAME} is in pi too ({where}), with autoSync off", mend)
    return fail("plugin", f"{NAME} is in pi too ({where}): every message is sent twice", mend)


def _found(folder: Path, remove: str) -> Iterator[tuple[str, str]]:
    """Where the plugin is, and the command that removes it."""
    file = folder / "settings.json"
    value: Any = None
    with suppress(OSError, ValueError):
        value = json.loads(file.read_text(encoding="utf-8"))
    settings = value if isinstance(value, dict) else {}
    for source in _sources(settings.get("packages")):
        if NAME in source or _is_plugin(_absolute(source, folder)):
            yield f"packages of {shown(str(file))}", f"{remove} {shown(source)}"
    for source in _sources(settings.get("extensions")):
        if not source.startswith(("!", "-")) and (
            NAME in source or _is_plugin(_absolute(source.removeprefix("+"), folder))
        ):
            yield f"extensions of {shown(str(file))}", f"remove {shown(source)} from {shown(str(file))}"
    with suppress(OSError):
        for entry in sorted((folder / "extensions").iterdir()):
            if NAME in entry.name or _is_plugin(entry):
                yield shown(str(entry)), f"rm -r '{shown(str(entry))}'"


def _sources(listed: Any) -> Iterator[str]:
    """The packages that are named; one whose `extensions` is an empty list loads none of them."""
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and isinstance(item.get("source"), str) and item.get("extensions") != []:
            yield item["source"]


def _absolute(source: str, folder: Path) -> Path:
    return folder / os.path.expanduser(source)  # noqa: PTH111 - text that need not be a path


def _is_plugin(path: Path) -> bool:
    """Whether a folder, or the folder of a file, is the plugin under another name."""
    for place in (path, path.parent, path.parent.parent):
        with suppress(OSError, ValueError, AttributeError):
            return bool(json.loads((place / "package.json").read_text(encoding="utf-8")).get("name") == NAME)
        if place.name == "extensions":
            break
    return False
