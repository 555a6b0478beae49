"""Python and the packages."""

import re
from collections.abc import Callable, Iterable
from importlib import metadata

from pi_opensync.doctor.check import Check, fail, ok, warn

OLDEST = (3, 11)
VersionOf = Callable[[str], str]
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[.*?\])?\s*>=\s*([0-9][0-9.]*)")


def python(version: tuple[int, ...], executable: str) -> Check:
    shown = ".".join(map(str, version[:3]))
    if version[:2] < OLDEST:
        return fail("python", f"{shown}, at least 3.11 is needed", "install Python 3.11 or later")
    return ok("python", f"{shown}, {executable}")


def packages(requirements: Iterable[str], version_of: VersionOf) -> Check:
    """`version_of` raises `metadata.PackageNotFoundError`."""
    wrong: list[str] = []
    count = 0
    for requirement in requirements:
        found = _REQUIREMENT.match(requirement)
        if found is None or "extra ==" in requirement:
            continue
        count += 1
        name, least = found[1], found[2]
        try:
            there = version_of(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if _numbers(there) < _numbers(least):
            wrong.append(f"{name} {there} is older than {least}")
    if wrong:
        return fail("packages", "; ".join(wrong), "pip install --upgrade pi-opensync")
    if not count:
        return warn("packages", "not installed as a package: what it needs can not be told")
    return ok("packages", f"{count}, all as required")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
