"""What every string of a transcript goes through before it is kept: mended, redacted, cut, in this order."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from pi_opensync import texts

# Of a longer text only the ends are looked at, with a margin beyond what is kept: a secret that reaches
# into what is kept is seen whole, and neither time nor memory grows with the text.
LONG = 1 << 20  # characters
WINDOW = texts.MAX_TEXT // 2 + (96 << 10)
EDGE = 32 << 10  # dropped where a look ends: half a secret may stand there
WITHHELD = "[withheld: it could not be redacted]"
MOST_CALLS = 500  # unanswered ones whose message's secrets are remembered, in memory alone


T = TypeVar("T")


class Redacting(Protocol):
    """Takes secrets out of a text or a JSON value; may raise, and then nothing of it may leave."""

    def text(self, value: str) -> str: ...
    def json(self, value: object) -> object: ...


class RedactingOfMessage(Redacting, Protocol):
    """The same for the strings of one message; see `redact.redactor.MessageRedactor`."""

    def again(self) -> "RedactingOfMessage | None": ...
    def more(self) -> "RedactingOfMessage": ...
    def knows(self) -> bool: ...
    def done(self) -> None: ...


class RedactingMessages(Redacting, Protocol):
    """One that can treat the strings of a message together."""

    def message(self) -> RedactingOfMessage: ...


class CannotRedact(Exception):  # noqa: N818 - named for what happened
    """A string took too long to redact, or the redaction failed: it must not leave this machine."""


class Cleaner:
    """Cleans strings and JSON values. Without a redactor secrets stay as they are."""

    def __init__(self, redactor: Redacting | RedactingMessages | None = None, *, whole: bool = False) -> None:
        """`whole`: texts are not cut, however long they are."""
        self._redactor = redactor
        self._whole = whole
        self._of_calls: dict[str, RedactingOfMessage] = {}

    def together(
        self,
        make: "Callable[[Cleaner], T]",
        *,
        answers: str | None = None,
        asks: Callable[[T], Iterable[str]] = lambda _made: (),
    ) -> T:
        """What `make` makes with a cleaner to which all strings are one message's.

        A value that is a secret in one of them is replaced in every one: where a later string gave it away,
        `make` is called a second time, so it must only make something of what it is given. `asks` names the
        calls of what was made, whose answers belong to the message; `answers` the call that this answers.
        Raises as `make` does, and `CannotRedact`.
        """
        begin = getattr(self._redactor, "message", None)
        if begin is None:
            return make(self)
        asked = None if answers is None else self._of_calls.get(answers)
        message: RedactingOfMessage = begin() if asked is None else asked.more()
        made = make(Cleaner(message, whole=self._whole))
        knowing = message.again()
        if knowing is not None:
            message, made = knowing, make(Cleaner(knowing, whole=self._whole))
        message.done()
        for call in asks(made):
            self._of_calls[call] = message
        while len(self._of_calls) > MOST_CALLS:
            del self._of_calls[next(iter(self._of_calls))]
        return made

    def of_call(self, call: str) -> "Cleaner | None":
        """One that knows the secrets of the message that this call is in; None where it has none."""
        message = self._of_calls.get(call)
        return Cleaner(message.more(), whole=self._whole) if message is not None and message.knows() else None

    def __call__(self, text: str) -> str:
        """Raises `CannotRedact`."""
        if self._whole:
            return self._cleaned(text)
        if len(text) > LONG:
            head, tail = self._cleaned(text[:WINDOW])[:-EDGE], self._cleaned(text[-WINDOW:])[EDGE:]
            return texts.around(head, tail, texts.length(text))
        return texts.cut(self._cleaned(text))

    def or_withheld(self, text: str) -> str:
        """The text, cleaned; what stands for it where it can not be."""
        try:
            return self(text)
        except CannotRedact:
            return WITHHELD

    def _cleaned(self, text: str) -> str:
        well = texts.well_formed(text)
        if self._redactor is None:
            return well
        try:
            return self._redactor.text(well)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as in `_guarded`, without a call more for each string
            raise CannotRedact from None

    def json(self, value: Any) -> Any:
        """A JSON value with keys and strings cleaned, and numbers that arrive as themselves.

        Raises `CannotRedact`, and RecursionError for what is nested too deeply.
        """
        well = _each(value, self._shortened)
        redacted = well if self._redactor is None else _guarded(self._redactor.json, well)
        return redacted if self._whole else _each(redacted, texts.cut)

    def _shortened(self, text: str) -> str:
        return texts.well_formed(text) if self._whole or len(text) <= LONG else self(text)


class Withholding(Cleaner):
    """Lets no string through: what is left of a message that could not be redacted."""

    def together(
        self,
        make: Callable[[Cleaner], T],
        *,
        answers: str | None = None,
        asks: Callable[[T], Iterable[str]] = lambda _made: (),
    ) -> T:
        del answers, asks
        return make(self)

    def __call__(self, text: str) -> str:
        return WITHHELD if text else ""

    def json(self, value: Any) -> Any:
        del value
        return {"withheld": WITHHELD}


def _guarded(redact: Any, value: Any) -> Any:
    try:
        return redact(value)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - whatever went wrong, the text must not leave
        # The cause may quote the text: it is not passed on.
        raise CannotRedact from None


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        changed: dict[str, Any] = {}
        for key, inner in value.items():
            name = change(key)
            while name in changed:
                name = f".{name}"
            changed[name] = _each(inner, change)
        return changed
    if isinstance(value, list):
        return [_each(inner, change) for inner in value]
    return texts.number(value)
