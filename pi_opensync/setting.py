"""One setting: its names, what it does, what it takes, and its value where that is plain."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pi_opensync.configuration import ENV_PREFIX

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Described:
    """What a setting is called in the environment and in the file, what it does, and what it takes.

    `before` makes of what was given what is judged as `kind` and by `checks`, `after` of that the value; both
    raise `ValueError`. `default` is shown; None where it is found out.
    """

    variable: str
    key: str
    what: str
    kind: Any
    default: Any
    before: Callable[[Any], Any] | None
    after: Callable[[Any], Any] | None
    checks: Mapping[str, Any]


def setting(
    default: Any,
    variable: str,
    key: str,
    what: str,
    *,
    before: Callable[[Any], Any] | None = None,
    after: Callable[[Any], Any] | None = None,
    kind: Any = None,
    **checks: float,
) -> Any:
    """A dataclass's field; its names are those in the environment, without the prefix, and in the file.

    A `default` that is a function is called. What it takes is its type, or `kind`.
    """
    about = {"said": (ENV_PREFIX + variable, key, what), "takes": (before, after, checks), "kind": kind}
    if callable(default):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


def described(of: Field[Any]) -> Described:
    """What a field says that was made by `setting`."""
    variable, key, what = of.metadata["said"]
    before, after, checks = of.metadata["takes"]
    kind = of.metadata["kind"] or _without_none(of.type)
    default = of.default if of.default_factory is MISSING else None
    return Described(variable, key, what, kind, default, before, after, checks)


def _without_none(kind: Any) -> Any:
    """`str` of `str | None`."""
    return get_args(kind)[0] if type(None) in get_args(kind) else kind


def plainly(about: Described, given: Any) -> Any:
    """The value, where it is right beyond doubt, as pydantic would make it. Raises where not.

    `ValueError` or `KeyError`; what raises so may be right all the same.
    """
    value = given if about.before is None else about.before(given)
    value = _as_kind(about, value)
    return value if about.after is None else about.after(value)


def _as_kind(about: Described, value: Any) -> Any:
    if about.kind in _PLAINLY:
        return _PLAINLY[about.kind](value, about.checks)
    if get_origin(about.kind) is Literal:
        if value in get_args(about.kind):
            return value
    elif isinstance(value, list | tuple) and all(_is_one(each, get_args(about.kind)[0]) for each in value):
        return tuple(value)
    raise ValueError


def _truth(value: Any, _checks: Mapping[str, Any]) -> bool:
    return value if isinstance(value, bool) else _TRUTHS[value.lower() if isinstance(value, str) else ""]


def _number(value: Any, checks: Mapping[str, Any]) -> float:
    if type(value) in {int, float} and isfinite(value) and value > checks["gt"]:
        return float(value)
    raise ValueError


def _text(value: Any, checks: Mapping[str, Any]) -> str:
    if _is_one(value, str) and checks.get("min_length", 0) <= len(value) <= checks.get("max_length", inf):
        return str(value)
    raise ValueError


def _path(value: Any, _checks: Mapping[str, Any]) -> Path:
    if isinstance(value, str | Path):
        return Path(value)
    raise ValueError


def _is_one(value: Any, kind: type) -> bool:
    """Whether it is of the kind, and a text one that can be encoded, else `ValueError`."""
    return isinstance(value, kind) and (not isinstance(value, str) or value.encode() is not None)


_PLAINLY: Mapping[Any, Callable[[Any, Mapping[str, float]], Any]] = {
    bool: _truth,
    float: _number,
    str: _text,
    Path: _path,
}
