"""The lines that are mutated: one of each kind that pi writes, and those that real versions of pi wrote."""

from pathlib import Path

from tests.fold.folding import (
    PARENT_ID,
    Item,
    call,
    encoded,
    entry,
    header,
    image,
    old_header,
    result,
    said,
    text,
    thinking,
    usage,
)

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"
LONGEST = 8_192  # bytes; longer lines (prompts, images) tell nothing more and take all the time

SPENT = usage(100, 20, 0.25, read=30, write=4)
ANSWER: Item = {"model": "opus", "provider": "anthropic", "usage": SPENT}

ONE_OF_EACH: tuple[Item, ...] = (
    header(),
    header(1, id="nightly-run", parentSession=f"/sessions/2026_{PARENT_ID}.jsonl"),
    old_header(provider="anthropic", modelId="claude-2"),
    said("user", "hello", 1),
    said("user", [text("look"), image("AAAA"), text("here")], 2),
    said("assistant", [thinking("hm"), text("yes"), call("c1", path="a")], 3, **ANSWER, stopReason="toolUse"),
    said("assistant", [call("c2", cmd="ls", env={"$ref": [1, 2.5, None, True]}), call("c3")], 4, **ANSWER),
    said("assistant", [text("half")], 5, **ANSWER, stopReason="error", errorMessage="rate limit"),
    said("assistant", [], 6, **ANSWER, stopReason="aborted"),
    result("c1", "output", 7, usage=SPENT),
    result("c2", [text("one"), image("AAAA")], 7, isError=True),
    result("c3", "output", 8),
    said("bashExecution", ..., 9, command="ls", output="a\n", exitCode=2, cancelled=False, truncated=False),
    said("custom", [text("noted")], 10, customType="note", display=True),
    said("hookMessage", "noted", 11, customType="note", display=True),
    said("system", "You are pi", 12),
    entry("custom_message", 13, customType="note", content="noted", display=True),
    entry("custom", 14, customType="note", data={"a": [1]}),
    entry("model_change", 15, provider="anthropic", modelId="opus"),
    entry("thinking_level_change", 16, thinkingLevel="high"),
    entry("session_info", 17, name="named"),
    entry("compaction", 18, summary="short", tokensBefore=9, usage=SPENT),
    entry("branch_summary", 19, summary="short", fromId="a", usage=SPENT),
    entry("usage", 20, kind="title", provider="p", model="m", usage=SPENT),
    entry("label", 21, targetId="a", label="b"),
    entry("context_edit", 22),
    entry("from_the_future", 23, usage=SPENT, content=[text("x")]),
)


def lines() -> list[bytes]:
    written = (
        line for path in sorted(TRANSCRIPTS.rglob("*.jsonl")) for line in path.read_bytes().splitlines()
    )
    return [encoded(item) for item in ONE_OF_EACH] + [line for line in written if len(line) <= LONGEST]
