"""What OpenSync's four upserts do to the rows that the stand-in stores.

The windows, the comparisons and the losses are those of the backend's source; its dashboards read nothing
that is not here. Times are milliseconds since the epoch, by the server's clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from tests.standin.rows import Counters, Message, Session
from tests.standin.values import RefusedValueError, check_document

SESSION_WINDOW_MS = 10_000
MESSAGE_WINDOW_MS = 5_000
SEARCHABLE_UTF16_UNITS = 10_000

Arguments = Mapping[str, Any]

_SESSION_FIELDS = {
    "title": "title",
    "projectPath": "project_path",
    "projectName": "project_name",
    "model": "model",
    "provider": "provider",
    "source": "source",
    "cost": "cost",
    "durationMs": "duration_ms",
}
_MESSAGE_FIELDS = {
    "textContent": "text_content",
    "model": "model",
    "promptTokens": "prompt_tokens",
    "completionTokens": "completion_tokens",
    "durationMs": "duration_ms",
}


@dataclass(frozen=True)
class Batched:
    inserted: int
    updated: int
    errors: tuple[str, ...] = ()


class Tables:
    """Rows by externalId, in the order of their insertion."""

    def __init__(self, *, now_ms: Callable[[], int], counters: Counters) -> None:
        self.sessions: dict[str, Session] = {}
        self.messages: dict[str, Message] = {}
        self.duplicate_sessions: list[Session] = []
        self.duplicate_messages: list[Message] = []
        self._now_ms = now_ms
        self._counters = counters
        self._ids = 0

    def upsert_session(self, sent: Arguments) -> Session:
        now = self._now_ms()
        existing = self.sessions.get(sent["externalId"])
        if existing is None:
            return self._insert_session(sent, now)
        changes = _session_changes(existing, sent)
        prompt, completion = sent.get("promptTokens", 0), sent.get("completionTokens", 0)
        same = (
            sent.get("title") == existing.title
            and sent.get("model") == existing.model
            and sent.get("projectPath") == existing.project_path
            and prompt in (0, existing.prompt_tokens)
            and completion in (0, existing.completion_tokens)
        )
        if same and now - existing.updated_at < SESSION_WINDOW_MS:
            self._counters.dropped_session_updates += bool(changes)
            return existing
        if "title" in changes:
            changes["searchable_text"] = changes["title"]
        if prompt > 0 or completion > 0:
            changes["total_tokens"] = (prompt or existing.prompt_tokens) + (
                completion or existing.completion_tokens
            )
        _patch(existing, changes | {"updated_at": now})
        return existing

    def batch_sessions(self, items: Sequence[Arguments]) -> Batched:
        now = self._now_ms()
        # The real function looks all of them up before it writes the first one.
        found = [copy(self.sessions.get(sent["externalId"])) for sent in items]
        updated = 0
        for sent, existing in zip(items, found, strict=True):
            if existing is None:
                self._insert_session(sent, now)
                continue
            prompt, completion = sent.get("promptTokens", 0), sent.get("completionTokens", 0)
            same = (
                sent.get("title") == existing.title
                and sent.get("model") == existing.model
                and prompt in (0, existing.prompt_tokens)
            )
            if same and now - existing.updated_at < SESSION_WINDOW_MS:
                self._counters.dropped_session_updates += bool(_session_changes(existing, sent))
                continue
            changes = _session_values(sent)
            if prompt > 0:
                changes["total_tokens"] = prompt + (completion or existing.completion_tokens)
            if completion > 0:
                changes["total_tokens"] = (prompt or existing.prompt_tokens) + completion
            _patch(self.sessions[existing.external_id], changes | {"updated_at": now})
            updated += 1
        return Batched(sum(row is None for row in found), updated)

    def upsert_message(self, sent: Arguments) -> Message:
        now = self._now_ms()
        existing = self.messages.get(sent["externalId"])
        if existing is not None and now - existing.created_at < MESSAGE_WINDOW_MS:
            self._count_repeat(existing, sent, dropped=True)
            return existing
        parts = list(sent.get("parts", ()))
        row = existing or self._new_message(sent, now)
        _check_message(row, sent)
        for part in parts:
            _check_part(row, part)
        session = self.sessions.get(sent["sessionExternalId"]) or self._insert_orphan(sent, now)
        if existing is None:
            row.session_id = session.id
            self._store_message(row)
            session.message_count += 1
        else:
            self._count_repeat(existing, sent, dropped=False)
            self._counters.lost_parts += len(parts) < len(existing.parts)
        _set_message(row, sent)
        row.parts = parts
        text = _text_of(parts)
        if existing is None or text:
            session.updated_at = now
        if text:
            session.searchable_text = _searchable(session.searchable_text, [text])
        return row

    def batch_messages(self, items: Sequence[Arguments]) -> Batched:
        """An update deletes the parts and writes none; a message too large fails alone, half stored."""
        now = self._now_ms()
        self._counters.batch_messages += len(items)
        groups: dict[str, list[Arguments]] = {}
        for sent in items:
            groups.setdefault(sent["sessionExternalId"], []).append(sent)
        inserted = updated = 0
        errors: list[str] = []
        for external_id, group in groups.items():
            session = self.sessions.get(external_id) or self._insert_orphan(group[0], now)
            # The real function looks all of a session's messages up before it writes the first one.
            found = [copy(self.messages.get(sent["externalId"])) for sent in group]
            texts: list[str] = []
            before = inserted
            for sent, existing in zip(group, found, strict=True):
                if existing is not None and now - existing.created_at < MESSAGE_WINDOW_MS:
                    self._count_repeat(existing, sent, dropped=True)
                    continue
                try:
                    if existing is not None:
                        self._update_in_batch(existing, sent)
                        updated += 1
                        continue
                    self._insert_in_batch(session, sent, now)
                except RefusedValueError as refused:
                    errors.append(f"{sent['externalId']}: {refused}")
                    continue
                inserted += 1
                texts += filter(None, [_text_of(sent.get("parts", ()))])
            if inserted > before:
                session.message_count += inserted - before
                session.searchable_text = session.searchable_text or None
                session.updated_at = now
            if texts:
                session.searchable_text = _searchable(session.searchable_text, texts)
        return Batched(inserted, updated, tuple(errors))

    def _insert_in_batch(self, session: Session, sent: Arguments, now: int) -> None:
        row = self._new_message(sent, now)
        _check_message(row, sent)
        row.session_id = session.id
        _set_message(row, sent)
        self._store_message(row)
        refused: RefusedValueError | None = None
        for part in sent.get("parts", ()):
            try:
                _check_part(row, part)
            except RefusedValueError as error:
                refused = refused or error
            else:
                row.parts.append(part)
        if refused is not None:
            self._counters.lost_parts += 1
            raise refused

    def _update_in_batch(self, existing: Message, sent: Arguments) -> None:
        """`existing` is the message as it was looked up, before this batch wrote anything to it."""
        _check_message(existing, sent)
        self._count_repeat(existing, sent, dropped=False)
        self._counters.lost_parts += bool(existing.parts or sent.get("parts"))
        _set_message(existing, sent)
        row = self.messages[existing.external_id]
        deleted_already = bool(existing.parts) and not row.parts
        for attribute in _MESSAGE_FIELDS.values():
            setattr(row, attribute, getattr(existing, attribute))
        row.parts = []
        if deleted_already:
            raise RefusedValueError("Error: Delete on nonexistent document")

    def _count_repeat(self, existing: Message, sent: Arguments, *, dropped: bool) -> None:
        same = existing.parts == list(sent.get("parts", ())) and all(
            sent.get(name, getattr(existing, attribute)) == getattr(existing, attribute)
            for name, attribute in _MESSAGE_FIELDS.items()
        )
        self._counters.repeated_messages += same
        self._counters.dropped_message_updates += dropped and not same

    def _insert_session(self, sent: Arguments, now: int) -> Session:
        prompt, completion = sent.get("promptTokens", 0), sent.get("completionTokens", 0)
        source = sent.get("source") or "opencode"
        row = Session(
            id=self._new_id("s"),
            external_id=sent["externalId"],
            created_at=sent.get("createdAt", now),
            updated_at=now,
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            searchable_text=sent.get("title"),
        )
        given = {name: attribute for name, attribute in _SESSION_FIELDS.items() if name in sent}
        _patch(row, {attribute: sent[name] for name, attribute in given.items()})
        row.source = "cursor-sync" if source == "cursor" else source
        if row.external_id in self.sessions:
            self._counters.duplicate_rows += 1
            self.duplicate_sessions.append(row)
        else:
            self.sessions[row.external_id] = row
        return row

    def _insert_orphan(self, sent: Arguments, now: int) -> Session:
        self._counters.orphan_sessions += 1
        kept = {name: sent[name] for name in ("model", "source") if name in sent}
        return self._insert_session({"externalId": sent["sessionExternalId"], **kept}, now)

    def _new_message(self, sent: Arguments, now: int) -> Message:
        return Message(
            id=self._new_id("m"),
            external_id=sent["externalId"],
            session_id="",
            session_external_id=sent["sessionExternalId"],
            role=sent["role"],
            created_at=sent.get("createdAt", now),
        )

    def _store_message(self, row: Message) -> None:
        if row.external_id in self.messages:
            self._counters.duplicate_rows += 1
            self.duplicate_messages.append(row)
        else:
            self.messages[row.external_id] = row

    def _new_id(self, table: str) -> str:
        self._ids += 1
        return f"{table}{self._ids:031x}"


def _session_values(sent: Arguments) -> dict[str, Any]:
    """What an update may write; counts of 0 never do."""
    values = {attribute: sent[name] for name, attribute in _SESSION_FIELDS.items() if name in sent}
    for name, attribute in (("promptTokens", "prompt_tokens"), ("completionTokens", "completion_tokens")):
        if sent.get(name, 0) > 0:
            values[attribute] = sent[name]
    return values


def _session_changes(existing: Session, sent: Arguments) -> dict[str, Any]:
    values = _session_values(sent)
    return {name: value for name, value in values.items() if value != getattr(existing, name)}


def _patch(row: Session, changes: Mapping[str, Any]) -> None:
    check_document(vars(row) | dict(changes))
    for attribute, value in changes.items():
        setattr(row, attribute, value)


def _set_message(row: Message, sent: Arguments) -> None:
    for name, attribute in _MESSAGE_FIELDS.items():
        if name in sent:
            setattr(row, attribute, sent[name])


def _check_message(row: Message, sent: Arguments) -> None:
    texts = {name: sent.get(name, getattr(row, _MESSAGE_FIELDS[name])) for name in ("textContent", "model")}
    check_document({"externalId": row.external_id, "role": row.role, "createdAt": 0, **texts})


def _check_part(row: Message, part: Mapping[str, Any]) -> None:
    check_document({"messageId": row.id, "order": 0, "type": part["type"], "content": part["content"]})


def _text_of(parts: Iterable[Mapping[str, Any]]) -> str:
    texts = []
    for part in parts:
        content = part["content"]
        if isinstance(content, dict):
            content = content.get("text") or content.get("content")
        if part["type"] == "text" and isinstance(content, str) and content:
            texts.append(content)
    return " ".join(texts)


def _searchable(stored: str | None, texts: Sequence[str]) -> str:
    joined = f"{stored or ''} {' '.join(texts)}"[:SEARCHABLE_UTF16_UNITS]
    return joined.encode("utf-16-le")[: 2 * SEARCHABLE_UTF16_UNITS].decode("utf-16-le", "ignore")
