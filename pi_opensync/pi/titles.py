"""What a prompt would title its session with: the user's own words, not what pi put around them. Pure."""

import re

from pi_opensync import texts

ENOUGH = 1_000  # characters of a prompt in which a title is looked for

# pi puts `<skill name= location=>`, `<file name=>` and command wrappers around what the user wrote.
_OPENING = re.compile(
    r"<(?P<tag>skill|file|command(?:-[a-z]+)?|bash(?:-[a-z]+)?|document|context|attachment|image)"
    r"(?P<attributes>\s[^<>]*)?>"
)
_NAME = re.compile(r"""\b(?:name|path)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
# pi-subagents writes its own words around a task.
_NAMED_BY_SUBAGENTS = re.compile(r"subagent-.+-[0-9a-z]+-\d+")
_FORKED = re.compile(
    r"\ATask:.*?You are a delegated subagent.*?\nTask:\n(?P<task>.*?)(?:\n\n---\n.*)?\Z", re.DOTALL
)
_FRESH = re.compile(
    r"\ATask:\s*(?:\[(?:Read from|Write to): [^\n]*\]\s*)*(?P<task>.*?)(?:\n\n---\n.*)?\Z", re.DOTALL
)


def title_of(text: str) -> str | None:
    """At most 80 characters of what the user wrote; where that is nothing, the skill's or file's name."""
    forked = _FORKED.match(text) if text.startswith("Task:") else None
    rest, names = _without_blocks(text if forked is None else forked["task"])
    return texts.title(texts.one_line(rest)) or texts.title(texts.one_line(" ".join(names))) or None


def task_of(text: str) -> str | None:
    """What a subagent's prompt would title its session with: the task, without the words around it."""
    fresh = _FRESH.match(text)
    return title_of(fresh["task"] if fresh is not None and not _FORKED.match(text) else text)


def is_a_name(name: str) -> bool:
    """False for what an extension calls the sessions of its subagents."""
    return _NAMED_BY_SUBAGENTS.fullmatch(name) is None


def _without_blocks(text: str) -> tuple[str, list[str]]:
    """The beginning of the text outside of such blocks, and the names that the blocks carry."""
    kept = ""
    names: list[str] = []
    never_closed: set[str] = set()
    position = 0
    while position < len(text) and len(kept.strip()) < ENOUGH:
        start = text.find("<", position)
        opening = None if start < 0 else _OPENING.match(text, start)
        if opening is None:
            end = len(text) if start < 0 else start + 1
            kept += text[position : min(end, position + ENOUGH * 4)]
            position = end
            continue
        tag, attributes = opening["tag"], opening["attributes"] or ""
        is_empty = attributes.endswith("/")
        closed = opening.end() if is_empty else _closed(text, tag, opening.end(), never_closed)
        if closed is None:
            kept += text[position : opening.end()]
            position = opening.end()
            continue
        kept += text[position:start] + " "
        position = closed
        named = _NAME.search(attributes)
        if named is not None:
            names.append((named[1] or named[2] or "").replace("\\", "/").rpartition("/")[2])
    return kept, names


def _closed(text: str, tag: str, position: int, never_closed: set[str]) -> int | None:
    closing = f"</{tag}>"
    found = -1 if tag in never_closed else text.find(closing, position)
    if found < 0:
        never_closed.add(tag)
        return None
    return found + len(closing)
