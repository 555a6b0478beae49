"""A stand-in for a language model: OpenAI's chat-completions API, streamed, on the loopback interface.

Replies depend on nothing but the request: two runs write the same transcript apart from ids and times.
Shapes are those of OpenAI's streaming reference: `data: <chunk>` events, one chunk with `usage`, `[DONE]`.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

TOOL_LINE = "TOOL:"
CALL_LINE = "CALL:"
REPLY_LENGTH = 200
CACHED_TOKENS = 800
CACHE_WRITE_TOKENS = 40
COMPLETION_TOKENS = 50
REASONING_TOKENS = 20


class Mood(Enum):
    """How the model answers: as it should, with HTTP 500, or by falling silent in the middle of its reply."""

    WELL = "well"
    ERROR = "error"
    STALL = "stall"


class StubModel:
    """Serves until the `with` block ends; `url` is the base URL for pi's `models.json`.

    Each line `TOOL: <command>` of the last user text becomes a call of the bash tool, each line
    `CALL: <tool> <arguments as JSON>` one of that tool, all of them parallel; their results get a final text.
    Any other text gets `Reply to: <its first line>`.
    `mood` and `tool_delay_s` (seconds that each command sleeps first) may be set between two prompts.
    """

    def __init__(self, *, mood: Mood = Mood.WELL, tool_delay_s: float = 0) -> None:
        self.mood = mood
        self.tool_delay_s = tool_delay_s
        self.requests: list[dict[str, Any]] = []
        self._stalled = threading.Event()
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="stub-model")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def wait_until_stalled(self, timeout_s: float = 10) -> None:
        """Return once a reply has fallen silent; raises TimeoutError."""
        if not self._stalled.wait(timeout_s):
            raise TimeoutError(f"no request stalled within {timeout_s} s; {len(self.requests)} came")
        self._stalled.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def events(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the chunks of one reply; blocks in the middle while the mood is STALL."""
        model = request["model"]
        yield _chunk(model, {"role": "assistant", "content": ""})
        yield _chunk(model, {"reasoning_content": "Thinking it over."})
        if self.mood is Mood.STALL:
            yield _chunk(model, {"content": "A reply that"})
            self._stalled.set()
            self._closing.wait()
            return
        delay = f"sleep {self.tool_delay_s:g}; " if self.tool_delay_s else ""
        functions = list(_functions(request, delay))
        if functions:
            position = len(request["messages"])
            calls = [
                {"index": index, "id": f"call_{position}_{index}", "type": "function", "function": function}
                for index, function in enumerate(functions)
            ]
            yield _chunk(model, {"content": "Running it."})
            yield _chunk(model, {"tool_calls": calls})
        else:
            yield _chunk(model, {"content": _reply(request["messages"])})
        yield _chunk(model, {}, finish="tool_calls" if functions else "stop")
        yield _chunk(model) | {"choices": [], "usage": _usage(request)}


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the server then waits for its replies

    def __init__(self, model: StubModel) -> None:
        self.model = model
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    timeout = 10  # seconds of silence on a connection

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.model.requests.append(request)
        if server.model.mood is Mood.ERROR:
            self._answer_with_an_error()
            return
        # pi hangs up when its user aborts.
        with contextlib.suppress(ConnectionError):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in server.model.events(request):
                self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

    def _answer_with_an_error(self) -> None:
        body = json.dumps(
            {"error": {"message": "the model is out of order", "type": "server_error"}}
        ).encode()
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep the test's output clean."""


def _chunk(model: str, delta: dict[str, Any] | None = None, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
    }


def _functions(request: dict[str, Any], delay: str) -> Iterator[dict[str, str]]:
    # A summary is asked for without tools, and quotes the whole conversation.
    last = request["messages"][-1]
    if not request.get("tools") or last["role"] != "user":
        return
    for line in _text(last).splitlines():
        if line.startswith(TOOL_LINE):
            command = line.removeprefix(TOOL_LINE).strip()
            yield {"name": "bash", "arguments": json.dumps({"command": delay + command})}
        elif line.startswith(CALL_LINE):
            name, _, arguments = line.removeprefix(CALL_LINE).strip().partition(" ")
            yield {"name": name, "arguments": arguments}


def _reply(messages: list[dict[str, Any]]) -> str:
    if messages[-1]["role"] == "tool":
        return "The tools are done."
    first_line = next(iter(_text(messages[-1]).splitlines()), "")
    return f"Reply to: {first_line[:REPLY_LENGTH]}"


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _usage(request: dict[str, Any]) -> dict[str, Any]:
    prompt_tokens = 1000 + 10 * len(request["messages"])
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": prompt_tokens + COMPLETION_TOKENS,
        "prompt_tokens_details": {
            "cached_tokens": CACHED_TOKENS,
            "cache_write_tokens": CACHE_WRITE_TOKENS,
        },
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
    }
