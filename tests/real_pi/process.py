"""Runs real versions of pi, from `.tools/` (see `.ci/install-pi`), against a stub model.

pi's RPC mode takes one JSON command a line and gives responses and events, one JSON object a line; pi's own
`rpc.md` describes the commands. Every wait is bounded and fails with the end of pi's standard error.
"""

import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.real_pi.home import MODEL, OTHER_MODEL, PROVIDER, environment, write_agent_dir

NEWEST = "1.5.2"
WITH_SYSTEM_MESSAGES = "0.87.1"
WITHOUT_SYSTEM_MESSAGES = "0.58.4"
WRITES_VERSION_1 = "0.30.2"

TIMEOUT_S = 60
EXIT_TIMEOUT_S = 10
STDERR_TAIL_BYTES = 4000
EXTENSION = Path(__file__).parent / "extension.ts"

_TOOLS = Path(__file__).parents[2] / ".tools"

Json = dict[str, Any]


class PiError(Exception):
    """pi refused a command, ended by itself, or stayed silent too long."""


@dataclass(frozen=True)
class Installed:
    version: str
    node: Path
    cli: Path

    @property
    def packages(self) -> Path:
        """What npm installed with it."""
        return self.cli.parents[1]

    @property
    def compiled(self) -> Path:
        """Where pi keeps what it made of large extensions; without it that takes it many seconds."""
        return self.node.parents[1] / "tmp"


def find_pi(version: str) -> Installed | None:
    """Look in `.tools/`; None where Node or that version of pi is missing."""
    node = _TOOLS / "bin/node"
    cli = _TOOLS / f"pi-{version}" / "node_modules/.bin/pi"
    return Installed(version, node, cli) if node.exists() and cli.exists() else None


def print_mode(
    installed: Installed,
    home: Path,
    cwd: Path,
    model_url: str,
    text: str,
    *,
    continue_last: bool = False,
    arguments: Sequence[str] = (),
) -> str:
    """Run `pi -p text` to its end (`pi -c -p text` to continue) and give what it printed; raises PiError."""
    write_agent_dir(home, model_url)
    flags = [*(["-c"] if continue_last else []), *arguments]
    try:
        done = subprocess.run(
            _command(installed, *flags, "-p", text),
            cwd=cwd,
            env=environment(home, installed.node),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise PiError(f"pi -p still ran after {TIMEOUT_S} s: {_tail(error.stderr or b'')}") from error
    if done.returncode != 0:
        raise PiError(f"pi -p ended with status {done.returncode}: {_tail(done.stderr)}")
    return done.stdout.decode()


class RealPi:
    """pi in RPC mode with a home, a configuration and an environment of its own, for the `with` block.

    `arguments` are further command line flags (`-c`, `--session FILE`, `--session-dir DIR`), `variables`
    further environment variables. Methods raise PiError.
    """

    def __init__(
        self,
        installed: Installed,
        home: Path,
        cwd: Path,
        model_url: str,
        *,
        extensions: Sequence[Path] = (),
        arguments: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._installed = installed
        self._home = home
        self._cwd = cwd
        self._model_url = model_url
        self._arguments = [*arguments, *itertools.chain(*(("-e", str(path)) for path in extensions))]
        self._environment = environment(home, installed.node) | dict(variables or {})
        self._stderr = home / "pi-stderr.log"
        self._ids = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._arrived = threading.Condition()
        self._records: list[Json] = []
        self._output_ended = False
        self._run_start: int | None = None

    def __enter__(self) -> Self:
        write_agent_dir(self._home, self._model_url)
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                _command(self._installed, "--mode", "rpc", *self._arguments),
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name="real-pi-output")
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._started()
        assert process.stdin is not None
        if self._run_start is not None:
            with contextlib.suppress(OSError):
                self._send("abort")
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(EXIT_TIMEOUT_S)
        self.kill()

    @property
    def pid(self) -> int:
        return self._started().pid

    def kill(self) -> None:
        """End pi at once, as a crash would; a command that its bash tool runs goes on."""
        process = self._started()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(EXIT_TIMEOUT_S)
        if self._reader is not None:
            self._reader.join(EXIT_TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()

    def prompt(self, text: str, images: Sequence[tuple[str, bytes]] = ()) -> None:
        """Say `text`, with images as (MIME type, bytes), and return when pi has finished its turn."""
        self.begin(text, images)
        self.finish()

    def begin(self, text: str, images: Sequence[tuple[str, bytes]] = ()) -> None:
        """Say `text` and return when pi has taken it, for a look at a turn in progress."""
        blocks = [
            {"type": "image", "mimeType": mime_type, "data": base64.b64encode(data).decode()}
            for mime_type, data in images
        ]
        self._run_start = len(self._records)
        self.call("prompt", message=text, **({"images": blocks} if blocks else {}))

    def finish(self) -> None:
        """Return when the turn that `begin` started is over."""
        start = self._run_start or 0
        self._wait(_ends_a_turn, start, "the end of the turn")
        self._run_start = None

    def wait_for(self, event: str) -> Json:
        """Give the first event of that type (pi's `json.md` lists them) since the last `begin`."""
        start = self._run_start or 0
        return self._wait(lambda record: record["type"] == event, start, f"the event {event}")

    def run_extension_command(self, name: str, argument: str = "") -> None:
        """Run a command of `extension.ts` to its end."""
        start = len(self._records)
        self.call("prompt", message=f"/{name} {argument}".rstrip())
        ended = self._wait(
            lambda record: record["type"] == "extension_error" or record.get("message") == f"done {name}",
            start,
            f"the end of the command {name}",
        )
        if ended["type"] == "extension_error":
            raise PiError(f"the command {name} failed: {ended['error']}")

    def bash(self, command: str, *, kept_from_the_model: bool = False) -> Json:
        """Run the user's own `!command`, or `!!command`."""
        return self.call("bash", command=command, excludeFromContext=kept_from_the_model)

    def rename(self, name: str) -> None:
        self.call("set_session_name", name=name)

    def set_model(self, model_id: str = OTHER_MODEL) -> None:
        self.call("set_model", provider=PROVIDER, modelId=model_id)

    def compact(self) -> Json:
        return self.call("compact")

    def fork_messages(self) -> list[Json]:
        """Give `{entryId, text}` for each user message that a fork can start before."""
        messages: list[Json] = self.call("get_fork_messages")["messages"]
        return messages

    def fork(self, entry_id: str) -> None:
        """Move to a new session with all that was said before that user message."""
        self.call("fork", entryId=entry_id)

    def clone(self) -> None:
        """Move to a new session with all that was said; since pi 0.63 or so."""
        self.call("clone")

    def new_session(self, parent: Path | None = None) -> None:
        self.call("new_session", **({"parentSession": str(parent)} if parent else {}))

    def switch_session(self, file: Path) -> None:
        self.call("switch_session", sessionPath=str(file))

    def abort(self) -> None:
        self.call("abort")
        self.finish()

    def state(self) -> Json:
        """Give pi's `get_state`, with `sessionFile`, `sessionId` and `isStreaming` among others."""
        return self.call("get_state")

    def session_file(self) -> Path:
        """Give the file of the session at hand, which need not exist yet."""
        return Path(self.state()["sessionFile"])

    def call(self, command: str, /, **arguments: Any) -> Json:
        """Give the `data` of the response to any RPC command, also those without a method here."""
        start = len(self._records)
        try:
            request_id = self._send(command, **arguments)
        except OSError as error:
            raise self._error(f"pi took no command {command}") from error
        # A version that does not know the command answers without the id.
        response = self._wait(
            lambda record: (
                record["type"] == "response"
                and record["command"] == command
                and record.get("id", request_id) == request_id
            ),
            start,
            f"the response to {command}",
        )
        if not response["success"]:
            raise self._error(f"pi refused {command}: {response['error']}")
        data: Json = response.get("data") or {}
        return data

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PiError("pi runs only inside the `with` block")
        return self._process

    def _send(self, command: str, /, **arguments: Any) -> str:
        stdin = self._started().stdin
        assert stdin is not None
        request_id = f"request-{next(self._ids)}"
        line = json.dumps({"id": request_id, "type": command, **arguments})
        stdin.write(line.encode() + b"\n")
        stdin.flush()
        return request_id

    def _read(self) -> None:
        stdout = self._started().stdout
        assert stdout is not None
        for line in stdout:
            with self._arrived:
                if line.startswith(b"{"):
                    self._records.append(json.loads(line))
                self._arrived.notify_all()
        with self._arrived:
            self._output_ended = True
            self._arrived.notify_all()

    def _wait(self, is_wanted: Callable[[Json], bool], start: int, what: str) -> Json:
        def find() -> Json | None:
            return next(filter(is_wanted, self._records[start:]), None)

        with self._arrived:
            self._arrived.wait_for(lambda: find() is not None or self._output_ended, TIMEOUT_S)
            found = find()
            ended = self._output_ended
        if found is None:
            raise self._error(f"pi ended before {what}" if ended else f"{what} did not come in {TIMEOUT_S} s")
        return found

    def _error(self, message: str) -> PiError:
        return PiError(f"{message}\npi {self._installed.version}: {_tail(self._stderr.read_bytes())}")


def _command(installed: Installed, *arguments: str) -> list[str]:
    model = ("--provider", PROVIDER, "--model", MODEL)
    return [str(installed.node), str(installed.cli), *model, *arguments]


def _ends_a_turn(record: Json) -> bool:
    # A pi that tells whether it will retry is busy until it has settled.
    if record["type"] == "agent_end":
        return "willRetry" not in record
    return bool(record["type"] == "agent_settled")


def _tail(output: bytes) -> str:
    return output[-STDERR_TAIL_BYTES:].decode(errors="replace").strip() or "(nothing on standard error)"
