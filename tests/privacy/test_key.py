"""The key: where it may go, and that it is nowhere else."""

import asyncio
import io
import secrets
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog

from pi_opensync import logbook
from pi_opensync.address import normalise_url
from pi_opensync.daemon import chosen
from pi_opensync.opensync.client import Client
from pi_opensync.settings import Secret, Settings
from tests.conftest import Cli, Done, new_key
from tests.harness import START, header, line, said, session_id
from tests.standin.backend import OpenSync, Reply
from tests.standin.server import Server, running

THEN = START - 86_400.0
ID = session_id("a")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class Recording(OpenSync):
    """Keeps what it was sent; answers every request so where `answer` is set."""

    def __init__(self) -> None:
        super().__init__(now=time.time, key=new_key())
        self.received: list[str] = []
        self.answer: Reply | None = None

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.received.append(f"{method} {target} {headers} {body!r}")
        return self.answer or super().handle(method, target, headers, body)


def odd_key() -> str:
    """A key with characters that URLs and JSON write otherwise."""
    return "os" + f'k_{secrets.token_hex(6)}/+"\\%{secrets.token_hex(6)}'


def told(render: str, key: str) -> str:
    """What a log says of an exception that was raised with a client and the settings at hand."""
    out = io.StringIO()
    logbook.configure("json" if render == "json" else "text", debug=True, stream=out)
    settings = Settings(convex_url="https://opensync.test", api_key=Secret(key))

    async def fail() -> None:
        client = Client("https://opensync.test", key, now=time.time)
        async with client:
            held = {"client": client, "settings": settings, "redactor": chosen.redactor(settings)}
            logbook.get().debug("at work", **{name: repr(value) for name, value in held.items()})
            raise RuntimeError(f"broken with {client} {settings} {held}")

    try:
        asyncio.run(fail())
    except RuntimeError as error:
        logbook.get().exception("failed")
        logbook.get().error("failed", exc_info=error, client_error=repr(error))
        return out.getvalue() + "".join(traceback.format_exception(error))
    raise AssertionError


@pytest.mark.parametrize("render", ["json", "console"])
def test_a_traceback_in_the_log_shows_no_key(render: str) -> None:
    key = new_key()
    text = told(render, key)
    assert "RuntimeError" in text
    assert key not in text
    assert key[6:] not in text


def test_a_crash_of_the_command_shows_no_key(cli: Cli, opensync: OpenSync) -> None:
    """Python's own traceback: uncaught, with the settings in the frames."""
    script = (
        "import sys; from pi_opensync.opensync import client\n"
        "async def broken(*a, **k): raise RuntimeError('broken')\n"
        "client.Client._ask = broken\n"
        "sys.argv = ['pi-opensync', 'sync', '--yes', '--debug']\n"
        "from pi_opensync.__main__ import main; main()"
    )
    write(cli)
    done = run_python(cli, script)
    assert done.code == 1
    assert "RuntimeError: broken" in done.err
    assert opensync.key not in done.out + done.err


def run_python(cli: Cli, script: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=cli.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=cli.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def write(cli: Cli) -> None:
    lines = (header("a", THEN), said("user", "one", THEN + 1))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "command"), [(302, ("sync", "--yes")), (307, ("verify",)), (308, ("verify",))], ids=str
)
def test_a_redirect_to_another_host_is_not_followed(cli: Cli, status: int, command: tuple[str, ...]) -> None:
    here, there = Recording(), Recording()
    write(cli)
    with running(here) as first, running(there) as second:
        moved = {"Location": f"{second.url}/sync/session", "Content-Type": "text/plain"}
        here.answer = Reply(status, moved, b"moved")
        cli.variables |= {"PI_OPENSYNC_CONVEX_URL": first.url, "PI_OPENSYNC_API_KEY": here.key}
        cli.keys.append(here.key)
        done = cli(*command)
    assert done.code != 0
    assert "redirected" in done.err
    assert here.received
    assert there.received == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "all_proxy"])
def test_plain_http_to_this_machine_goes_through_no_proxy(cli: Cli, server: Server, name: str) -> None:
    """A proxy would get the key in the clear."""
    write(cli)
    proxy = Recording()
    with running(proxy) as other:
        cli.variables[name] = other.url
        cli("sync", "--yes")
    assert proxy.received == []
    assert server.opensync.sessions


@pytest.mark.parametrize(
    "url",
    [
        "http://opensync.test",
        "http://127.0.0.1.opensync.test",
        "http://localhost.opensync.test",
        "http://127.0.0.1@opensync.test",
        "http://127.0.0.1:80@opensync.test",
        "http://127.0.0.1\\@opensync.test",
        "http://0.0.0.0:3000",
        "http://192.168.0.7",
        "http://[::ffff:192.168.0.7]",
        "http:///127.0.0.1",
        "ftp://127.0.0.1",
        "//127.0.0.1",
    ],
)
def test_plain_http_to_anywhere_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ with what is wrong
        normalise_url(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3000", "http://localhost:1", "http://[::1]:8", "https://a.b"]
)
def test_https_and_this_machine_are_accepted(url: str) -> None:
    assert normalise_url(url) == url


def test_a_short_key_is_refused_in_words_about_the_key(fresh_cli: Cli) -> None:
    fresh_cli.variables |= {"PI_OPENSYNC_API_KEY": "osk" + "_ab1", "PI_OPENSYNC_CONVEX_URL": "https://a.b"}
    (fresh_cli.home / "sessions").mkdir()
    done = fresh_cli("sync", "--dry-run", PI_OPENSYNC_SESSIONS_DIR=str(fresh_cli.home / "sessions"))
    assert "redactPatterns" not in done.err
    assert "_ab1" not in done.err + done.out
