"""What other programs send, without its secrets: by the rules that hold for what this one sends."""

from dataclasses import replace
from typing import Any

from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.dashboard.parts import StoredPart
from pi_opensync.privacy.cleaner import WITHHELD, CannotRedact, Cleaner


def cleaned_session(session: SessionIn, clean: Cleaner) -> SessionIn:
    """Every name and path in it, redacted; ids stay, for they tell sessions apart."""
    return clean.together(lambda one: _session(session, one))


def _session(session: SessionIn, clean: Cleaner) -> SessionIn:
    return replace(
        session,
        title=_text(session.title, clean),
        project_path=_text(session.project_path, clean),
        project_name=_text(session.project_name, clean),
        model=_text(session.model, clean),
        provider=_text(session.provider, clean),
    )


def cleaned_message(message: MessageIn, clean: Cleaner) -> MessageIn:
    """Every text in it, redacted; what can not be redacted is withheld."""
    return clean.together(lambda one: _message(message, one))


def _message(message: MessageIn, clean: Cleaner) -> MessageIn:
    parts = message.parts
    return replace(
        message,
        text_content=_text(message.text_content, clean),
        model=_text(message.model, clean),
        parts=None
        if parts is None
        else tuple(StoredPart(part.type, _json(part.content, clean)) for part in parts),
    )


def _text(text: str | None, clean: Cleaner) -> str | None:
    return None if text is None else clean.or_withheld(text)


def _json(content: Any, clean: Cleaner) -> Any:
    if isinstance(content, str):
        return clean.or_withheld(content)
    try:
        return clean.json(content)
    except CannotRedact:
        return WITHHELD
