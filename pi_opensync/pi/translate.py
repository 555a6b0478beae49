"""From an entry of pi's to what it says, without any of pi's keys. Pure.

What is not shown is named, what is not known is counted; nothing in a file can raise past this point.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from pi_opensync import texts
from pi_opensync.model import SAYS, Content, Event, Message, Options, Result, Session
from pi_opensync.pi import content, titles
from pi_opensync.pi.entries import Entry, flattened, milliseconds
from pi_opensync.pi.images import images
from pi_opensync.pi.usage_fields import split, usage_of
from pi_opensync.privacy.cleaner import WITHHELD, CannotRedact, Cleaner, Withholding

# What is not shown, by kind; `preview` and `status` count them under these names.
HIDDEN = "hidden messages of extensions"
KEPT_OUT = "commands that you kept out (!!)"
COMMANDS = "commands of yours"
IMAGES = "images (a line stands for each)"
RESULTS = "tool results"
CALLS = "tool calls"
THINKING = "thinking"
SYSTEM_PROMPTS = "system prompts"
DEFERRED = "answers that pi fetches later"

# What a migration of pi's changes in an entry: not a part of what it says.
_NUMBERS = frozenset({"id", "parentId", "firstKeptEntryIndex", "firstKeptEntryId"})


def translate(entry: Entry, line: bytes, options: Options, clean: Cleaner, session: Session) -> Event | None:
    """What the entry says in its session; None where it is nested beyond what can be read.

    `line` is where it stands.
    """
    try:
        return _together(entry, options, clean, session)
    except RecursionError:
        whole = [item for item in flattened(line) if isinstance(item, Entry)]
        return _together(whole[0], options, clean, session) if whole else None


def call_key(session: Session, call_id: str | None) -> str:
    """What a tool's call is known by among those of all sessions."""
    return f"{session.external_id} {call_id}"


def answered(message: Message | None, event: Event, clean: Cleaner, session: Session) -> Message | None:
    """A message with the result that the event brought it, without what either gave away of the other."""
    if message is None or event.result is None or event.result.call_id is None:
        return message
    knowing = clean.of_call(call_key(session, event.result.call_id))
    if knowing is None:
        return message
    try:
        return _cleaned(message, knowing)
    except CannotRedact:
        return _cleaned(message, Withholding())


def _cleaned(message: Message, clean: Cleaner) -> Message:
    parts = [
        replace(
            part, content=clean(part.content) if isinstance(part.content, str) else clean.json(part.content)
        )
        for part in message.parts
    ]
    return replace(message, text=clean(message.text), parts=tuple(parts))


def _together(entry: Entry, options: Options, clean: Cleaner, session: Session) -> Event:
    """All strings of an entry are one message's, with those of the call that it answers."""
    message = entry.body.get("message")
    answers = texts.identifier(message.get("toolCallId")) if isinstance(message, dict) else None

    def calls(event: Event) -> list[str]:
        parts = () if event.content is None else event.content.parts
        return [call_key(session, part.call_id) for part in parts if part.call_id is not None]

    try:
        return clean.together(
            lambda cleaner: _translated(entry, options, cleaner, session),
            answers=None if answers is None else call_key(session, answers),
            asks=calls,
        )
    except CannotRedact:
        return _withheld(entry, options, session)


def _withheld(entry: Entry, options: Options, session: Session) -> Event:
    without = dataclasses.replace(options, images=False)
    return replace(_translated(entry, without, Withholding(), session), parked=WITHHELD)


def _translated(entry: Entry, options: Options, clean: Cleaner, session: Session) -> Event:
    event = Event(
        key=key_of(entry, is_keyed_by_id=session.is_keyed_by_id),
        id=entry.id if session.has_entry_ids else None,
        at=entry.timestamp,
        kind=entry.type,
        is_titling=session.first_text is None,
        parent_id=content.string(entry.body.get("parentId")) or None,
        usage=usage_of(entry.body.get("usage")),
    )
    said = _TYPES.get(entry.type)
    if said is None:
        return replace(event, unknown=clean.or_withheld(entry.type))
    return said(event, entry, options, clean)


# one function a type of entry


def _message(event: Event, entry: Entry, options: Options, clean: Cleaner) -> Event:
    message = entry.body.get("message")
    if not isinstance(message, dict):
        return _odd(event)
    role = message.get("role")
    said = _ROLES.get(role) if isinstance(role, str) else None
    if said is None:
        return _odd(event, clean.or_withheld(role) if isinstance(role, str) else None)
    usage = usage_of(message.get("usage")) or event.usage
    event = replace(event, said_at=milliseconds(message.get("timestamp")), usage=usage)
    return said(event, message, options, clean)


def _session_info(event: Event, entry: Entry, _options: Options, clean: Cleaner) -> Event:
    name = entry.body.get("name")
    known = name is None or (isinstance(name, str) and titles.is_a_name(name))
    return replace(event, name=texts.one_line(clean(name or "")) if known else None)


def _model_change(event: Event, entry: Entry, _options: Options, clean: Cleaner) -> Event:
    provider, model = entry.body.get("provider"), entry.body.get("modelId")
    return replace(
        event, provider=content.short_name(provider, clean), model=content.short_name(model, clean)
    )


def _usage_entry(event: Event, entry: Entry, _options: Options, clean: Cleaner) -> Event:
    kind = clean(texts.one_line(content.string(entry.body.get("kind")))) or entry.type
    return replace(
        event, kind=kind, counts_time=False, model=content.short_name(entry.body.get("model"), clean)
    )


def _custom_message(event: Event, entry: Entry, options: Options, clean: Cleaner) -> Event:
    return _custom(event, entry.body, options, clean)


def _summary(event: Event, entry: Entry, _options: Options, clean: Cleaner) -> Event:
    prompts = (SYSTEM_PROMPTS,) if isinstance(entry.body.get("systemMessage"), dict) else ()
    return replace(event, content=content.summary(entry, clean), left_out=prompts)


def _hidden(event: Event, _entry: Entry, _options: Options, _clean: Cleaner) -> Event:
    return replace(event, left_out=(HIDDEN,))


def _nothing(event: Event, _entry: Entry, _options: Options, _clean: Cleaner) -> Event:
    return event


def _odd(event: Event, role: str | None = None) -> Event:
    return replace(event, unknown="message" if role is None else f"message:{role}")


# one function a role of a message


def _user(event: Event, message: dict[str, Any], options: Options, clean: Cleaner) -> Event:
    shown, words = content.user(message, options, clean)
    left_out = _images_left_out(message, options)
    if not event.is_titling:
        return replace(event, content=shown, left_out=left_out)
    title, task = titles.title_of(words), titles.task_of(words)
    return replace(event, content=shown, title=title, task=task, left_out=left_out)


def _assistant(event: Event, message: dict[str, Any], options: Options, clean: Cleaner) -> Event:
    hidden = {
        "image": IMAGES,
        **({} if options.sync_thinking else {"thinking": THINKING}),
        **({} if options.sync_tool_calls else {"toolCall": CALLS}),
    }
    deferred = (DEFERRED,) if message.get("stopReason") == "deferred" else ()
    event = replace(
        event,
        provider=content.short_name(message.get("provider"), clean),
        model=content.model_name(message, clean),
        answers=True,
        left_out=(*_left_out(message.get("content"), hidden), *deferred),
    )
    return replace(event, content=content.assistant(message, event, options, clean))


def _result(event: Event, message: dict[str, Any], options: Options, clean: Cleaner) -> Event:
    own, delegations = split(message, event.usage)
    event = replace(event, kind="tool", usage=own, delegations=delegations)
    if not options.sync_tool_calls:
        return replace(event, left_out=(RESULTS,))
    call_id = texts.identifier(message.get("toolCallId"))
    result = Result(
        call_id,
        content.result(message, options, clean),
        content.nested_calls(message, clean),
        images(message, options),
    )
    return replace(event, result=result, left_out=_images_left_out(message, options))


def _bash(event: Event, message: dict[str, Any], options: Options, clean: Cleaner) -> Event:
    if message.get("excludeFromContext") is True:
        return replace(event, left_out=(KEPT_OUT,))
    if not options.sync_tool_calls:
        return replace(event, left_out=(COMMANDS,))
    return replace(event, content=content.bash(message, clean))


def _system(event: Event, _message: dict[str, Any], _options: Options, _clean: Cleaner) -> Event:
    return replace(event, left_out=(SYSTEM_PROMPTS,))


def _custom(event: Event, body: dict[str, Any], _options: Options, clean: Cleaner) -> Event:
    shown: Content | None = content.custom(body, clean)
    hidden = body.get("display") is not True
    return replace(event, content=shown, left_out=(HIDDEN,) if hidden else ())


def _images_left_out(message: dict[str, Any], options: Options) -> tuple[str, ...]:
    left_out = tuple(_left_out(message.get("content"), {"image": IMAGES}))
    return left_out[len(images(message, options)) :]


def _left_out(blocks: object, hidden: dict[str, str]) -> Iterator[str]:
    for block in blocks if isinstance(blocks, list) else ():
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind in hidden:
            yield hidden[kind]


def key_of(entry: Entry, *, is_keyed_by_id: bool = True) -> str:
    """What an entry is known by in every copy: its id, or what it says where ids are absent or random."""
    if entry.id is not None and is_keyed_by_id:
        return entry.id
    said = {name: value for name, value in entry.body.items() if name not in _NUMBERS}
    message = said.get("message")
    if isinstance(message, dict) and message.get("role") == "hookMessage":
        said["message"] = {**message, "role": "custom"}
    text = json.dumps(said, sort_keys=True)
    return f"{SAYS}{blake2b(text.encode(), digest_size=16).hexdigest()}"


_TYPES: dict[str, Callable[[Event, Entry, Options, Cleaner], Event]] = {
    "message": _message,
    "session_info": _session_info,
    "model_change": _model_change,
    "usage": _usage_entry,
    "compaction": _summary,
    "branch_summary": _summary,
    "custom_message": _custom_message,
    "custom": _hidden,
    "thinking_level_change": _nothing,
    "label": _nothing,
    "context_edit": _nothing,
}

_ROLES: dict[str, Callable[[Event, dict[str, Any], Options, Cleaner], Event]] = {
    "user": _user,
    "assistant": _assistant,
    "toolResult": _result,
    "bashExecution": _bash,
    "custom": _custom,
    "hookMessage": _custom,
    "system": _system,
}
