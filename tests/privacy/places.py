"""A transcript with a text in every place where pi writes one."""

import json
from collections.abc import Iterator
from typing import Any

from tests.harness import entry, header, result, said, session_id, usage
from tests.privacy.redact.corpus import MAKERS
from tests.privacy.redact.samples import Maker, Sample

MODEL = "claude-sonnet-4-5"
PROVIDER = "anthropic"


def one_of_each() -> list[Sample]:
    return [make(Maker(77_000 + number)) for number, make in enumerate(MAKERS)]


def one_of_each_rule() -> list[Sample]:
    return list({sample.rule: sample for sample in one_of_each()}.values())


def everywhere(name: str, text: str, at: float) -> list[dict[str, Any]]:
    """The entries of a session in which `text` stands in every place."""
    return [
        header(name, at, cwd=f"/srv/{text}"),
        *_session(text, at),
        entry(at + 90, f"{name}-90"[:8], type="session_info", name=text),
    ]


def in_title(name: str, text: str, at: float) -> list[dict[str, Any]]:
    """A session that nobody named: the title is its first user message."""
    return [header(name, at), said("user", text, at + 1)]


def _session(text: str, at: float) -> Iterator[dict[str, Any]]:
    yield said("user", f"look:\n{text}\nthere", at + 1)
    yield said("user", "", at + 2, content=[image(text), {"type": "text", "text": text}])
    arguments = {
        "plain": text,
        text: "a key",
        "deep": [{"er": {text: [text, {"q": text}]}}],
        "escaped": json.dumps({"body": text}),
        "twice": json.dumps(json.dumps({"body": text})),
    }
    blocks = [
        {"type": "thinking", "thinking": text},
        {"type": "text", "text": text},
        {"type": "toolCall", "id": "call-1", "name": text, "arguments": arguments},
        {"type": "toolCall", "id": "call-2", "name": "bash", "arguments": text},
    ]
    told: dict[str, Any] = {"model": MODEL, "provider": PROVIDER, "usage": usage()}
    yield said("assistant", "", at + 3, content=blocks, **told)
    yield result("call-1", text, at + 4)
    yield result("call-2", text, at + 5, isError=True)
    yield result("nobody-asked", text, at + 6)
    yield said("assistant", "half", at + 7, stopReason="error", errorMessage=text, **told)
    bash = {"role": "bashExecution", "command": text, "output": text, "exitCode": 1}
    yield entry(at + 8, type="message", message=bash | {"timestamp": round((at + 8) * 1000)})
    yield entry(at + 9, type="custom_message", customType="note", content=text, display=True)
    yield said("custom", text, at + 10, display=True)
    yield entry(at + 11, type="compaction", summary=text, tokensBefore=5)
    yield entry(at + 12, type="branch_summary", summary=text, fromId="x")
    yield said("custom", text, at + 13, display=False)
    yield said("system", text, at + 14)
    yield entry(at + 15, type="custom", customType="state", data={"text": text})
    yield entry(at + 16, type="label", label=text)


def image(text: str) -> dict[str, str]:
    return {"type": "image", "mimeType": f"image/png {text}", "data": "aGVsbG8="}


def ids(count: int) -> list[str]:
    return [session_id(f"s{number}") for number in range(count)]
