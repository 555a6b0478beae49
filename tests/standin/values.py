"""What Convex takes as a value, and its argument validators.

Limits and texts are those of hosted Convex: its public source for the texts, the API contract for how far
a rule reaches (`_` is reserved at any depth there). A refused value raises `RefusedValueError`, whose text is
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

MAX_KEY_LENGTH = 1024
MAX_FIELDS = 1024
MAX_ITEMS = 8192
MAX_NESTING = 64
MAX_DOCUMENT_BYTES = 1 << 20
MAX_REQUEST_BYTES = 16 << 20
_EXACT_INTEGERS = 2**53
_ID_FIELDS_BYTES = len("_id") + 1 + 34 + len("_creationTime") + 1 + 9


class RefusedValueError(Exception):
    """What Convex says of a value, as JavaScript prints the error (`Error: ...`)."""


def js_number(literal: str) -> float:
    """A JSON number as JavaScript reads it: a double, whole ones kept as `int` so that they print alike."""
    number = float(literal)
    return int(number) if number.is_integer() and abs(number) <= _EXACT_INTEGERS else number


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_request_size(body: bytes) -> None:
    if len(body) >= MAX_REQUEST_BYTES:
        raise RefusedValueError(f"Error: Arguments are too large (actual: {_mib(len(body))}, limit: 16 MiB)")


def check_value(value: Any, *, depth: int = 1) -> None:
    """Field names, sizes, nesting and strings of a whole argument; `depth` counts the containers so far."""
    if isinstance(value, str):
        _check_string(value)
    elif isinstance(value, dict):
        _check_depth(depth)
        if len(value) > MAX_FIELDS:
            raise RefusedValueError(
                f"Error: Object has too many fields ({len(value)} > maximum number {MAX_FIELDS})"
            )
        for key, item in value.items():
            _check_key(key)
            check_value(item, depth=depth + 1)
    elif isinstance(value, list):
        _check_depth(depth)
        if len(value) > MAX_ITEMS:
            raise RefusedValueError(
                f"Error: Array length is too long ({len(value)} > maximum length {MAX_ITEMS})"
            )
        for item in value:
            check_value(item, depth=depth + 1)


def _check_depth(depth: int) -> None:
    if depth > MAX_NESTING:
        raise RefusedValueError(
            f"Error: Value is too nested (nested {depth} levels deep > maximum nesting {MAX_NESTING})"
        )


def _check_string(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RefusedValueError(
            "Error: Received invalid json: lone leading surrogate in hex escape"
        ) from error


def _check_key(key: str) -> None:
    if not key:
        raise RefusedValueError("Error: Field name cannot be empty")
    if len(key) > MAX_KEY_LENGTH:
        raise RefusedValueError(
            f"Error: Field name {key} exceeds maximum field name length {MAX_KEY_LENGTH}."
        )
    if key[0] in "$_":
        raise RefusedValueError(f"Error: Field name {key} starts with a '{key[0]}', which is reserved.")
    for character in key:
        if not " " <= character <= "~":
            shown = character.encode(errors="replace").decode()
            raise RefusedValueError(
                f"Error: Field name {key.encode(errors='replace').decode()} has invalid character '{shown}': "
                "Field names can only contain non-control ASCII characters"
            )


def check_document(fields: Mapping[str, Any]) -> None:
    """A stored document stays under 1 MiB; fields that are `None` are absent."""
    size = _ID_FIELDS_BYTES + document_size({key: item for key, item in fields.items() if item is not None})
    if size > MAX_DOCUMENT_BYTES:
        raise RefusedValueError(f"Error: Value is too large ({_mib(size)} > maximum size 1 MiB)")


def document_size(value: Any) -> int:
    """Bytes as Convex counts them."""
    if isinstance(value, str):
        return 2 + len(value.encode())
    if isinstance(value, dict):
        return 2 + sum(len(key) + 1 + document_size(item) for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(document_size(item) for item in value)
    return 9 if is_number(value) else 1


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.2f}".rstrip("0").rstrip(".") + " MiB"


class Validator(Protocol):
    def check(self, value: Any, path: str) -> None: ...


def _mismatch(validator: object, value: Any, path: str) -> RefusedValueError:
    where = f"Path: {path}" if path else ""
    return RefusedValueError(
        f"Error: ArgumentValidationError: Value does not match validator.\n{where}\n"
        f"Value: {shown(value)}\nValidator: {validator}"
    )


def shown(value: Any) -> str:
    """A value as Convex prints it inside an error: the whole of it, a user's text too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return repr(float(value)) if is_number(value) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class String:
    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _mismatch(self, value, path)

    def __str__(self) -> str:
        return "v.string()"


@dataclass(frozen=True)
class Number:
    def check(self, value: Any, path: str) -> None:
        if not is_number(value):
            raise _mismatch(self, value, path)

    def __str__(self) -> str:
        return "v.float64()"


@dataclass(frozen=True)
class Anything:
    def check(self, value: Any, path: str) -> None:
        """Every value that Convex can hold is right."""

    def __str__(self) -> str:
        return "v.any()"


@dataclass(frozen=True)
class OneOf:
    literals: tuple[str, ...]

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in self.literals:
            raise _mismatch(self, value, path)

    def __str__(self) -> str:
        return "v.union(" + ", ".join(f'v.literal("{literal}")' for literal in self.literals) + ")"


@dataclass(frozen=True)
class ArrayOf:
    item: Validator

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise _mismatch(self, value, path)
        for index, item in enumerate(value):
            self.item.check(item, f"{path}[{index}]")

    def __str__(self) -> str:
        return f"v.array({self.item})"


@dataclass(frozen=True)
class Object:
    """`optional` means: may be absent. A `null` is there, and fails."""

    required: Mapping[str, Validator]
    optional: Mapping[str, Validator]

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _mismatch(self, value, path)
        fields = {**self.required, **self.optional}
        for name in sorted(fields):
            if name in value:
                fields[name].check(value[name], f"{path}.{name}")
            elif name in self.required:
                raise self._error(
                    f"Object is missing the required field `{name}`. Consider wrapping the field "
                    "validator in `v.optional(...)` if this is expected.",
                    value,
                    path,
                )
        for name in value:
            if name not in fields:
                raise self._error(
                    f"Object contains extra field `{name}` that is not in the validator.", value, path
                )

    def _error(self, problem: str, value: Any, path: str) -> RefusedValueError:
        where = f"Path: {path}" if path else ""
        return RefusedValueError(
            f"Error: ArgumentValidationError: {problem}\n{where}\nObject: {shown(value)}\nValidator: {self}"
        )

    def __str__(self) -> str:
        fields = {name: str(validator) for name, validator in self.required.items()}
        fields |= {name: f"v.optional({validator})" for name, validator in self.optional.items()}
        return "v.object({" + ", ".join(f"{name}: {fields[name]}" for name in sorted(fields)) + "})"


_SESSION_OPTIONAL: dict[str, Validator] = {
    **dict.fromkeys(("title", "projectPath", "projectName", "model", "provider", "source"), String()),
    **dict.fromkeys(("promptTokens", "completionTokens", "cost", "durationMs"), Number()),
}
_MESSAGE_REQUIRED: dict[str, Validator] = {
    "sessionExternalId": String(),
    "externalId": String(),
    "role": OneOf(("user", "assistant", "system", "tool", "unknown")),
}
_MESSAGE_OPTIONAL: dict[str, Validator] = {
    **dict.fromkeys(("textContent", "model", "source"), String()),
    **dict.fromkeys(("promptTokens", "completionTokens", "durationMs"), Number()),
    "parts": ArrayOf(Object({"type": String(), "content": Anything()}, {})),
}
_CREATED_AT: dict[str, Validator] = {"createdAt": Number()}

SESSION = Object({"externalId": String()}, _SESSION_OPTIONAL | _CREATED_AT)
MESSAGE = Object(_MESSAGE_REQUIRED, _MESSAGE_OPTIONAL | _CREATED_AT)
BATCH_SESSION = Object({"externalId": String()}, _SESSION_OPTIONAL)
BATCH_MESSAGE = Object(_MESSAGE_REQUIRED, _MESSAGE_OPTIONAL)
LATER_BATCH_SESSION = SESSION
LATER_BATCH_MESSAGE = MESSAGE


def check_arguments(arguments: Mapping[str, Any], validator: Validator) -> None:
    """All that happens to a function's arguments before its first line runs."""
    check_value([arguments])
    validator.check(arguments, "")


def check_batch(name: str, items: Sequence[Any], item: Object) -> None:
    check_arguments({name: items}, Object({name: ArrayOf(item)}, {}))
