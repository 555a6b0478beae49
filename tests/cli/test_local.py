"""`watch --local`, `serve` and the first run: an OpenSync of one's own, as a user starts it."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pi_opensync.cli import serving
from pi_opensync.dashboard.db.budget import Budget
from tests.conftest import Cli, Running, wait_until
from tests.harness import START, TRANSCRIPTS, header, line, said, usage

PAGE = re.compile(r"http://127\.0\.0\.1:\d+/login\?token=[\w-]+")


@contextmanager
def browse(running: Running) -> Iterator[httpx.Client]:
    """A browser that followed the link that was printed."""
    running.wait_for("/login?token=")
    found = PAGE.search(running.err.read_text())
    assert found is not None
    base, _, link = found[0].partition("/login")
    with httpx.Client(base_url=base, follow_redirects=True, trust_env=False) as client:
        assert client.get(f"/login{link}").status_code == 200
        yield client


@pytest.fixture
def home(fresh_cli: Cli) -> Cli:
    sessions = fresh_cli.home / "sessions"
    sessions.mkdir()
    fresh_cli.variables |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(sessions),
        "PI_OPENSYNC_STATE_DIR": str(fresh_cli.home / "state"),
    }
    return fresh_cli


def write(home: Cli, name: str, *texts: str) -> Path:
    path = home.home / "sessions" / f"{name}.jsonl"
    items = [
        said("user" if number % 2 == 0 else "assistant", text, START + number, usage=usage())
        for number, text in enumerate(texts)
    ]
    with path.open("ab") as file:
        file.write(
            b"".join(
                line(item)
                for item in ([] if path.exists() and path.stat().st_size else [header(name, START)]) + items
            )
        )
    return path


def status(home: Cli) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(home("status", "--json").out)
    return report


def test_watch_local_shows_pis_sessions_and_what_pi_writes_next(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    with home.running("watch", "--local", "--port", "0") as running, browse(running) as browser:
        wait_until(lambda: "a question of mine" in browser.get("/").text, "the session in the list")
        write(home, "two", "another question")
        wait_until(lambda: "another question" in browser.get("/").text, "the new session in the list", 10)
        assert running.stop() == 0


def test_a_second_start_keeps_what_is_there(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    for _ in range(2):
        with home.running("watch", "--local", "--port", "0") as running, browse(running) as browser:
            wait_until(lambda: "a question of mine" in browser.get("/").text, "the session in the list")
            assert browser.get("/").text.count("a question of mine") == 1
            assert running.stop(signal.SIGINT) == 0


def test_the_demo_shows_samples_and_none_of_pis_sessions(home: Cli) -> None:
    write(home, "one", "a question of mine")
    with home.running("watch", "--local", "--demo", "--port", "0") as running, browse(running) as browser:
        wait_until(lambda: "Checkout total off by a cent" in browser.get("/").text, "the samples")
        assert "a question of mine" not in browser.get("/").text
        assert running.stop() == 0


def test_serve_makes_a_key_where_it_is_told_to_and_takes_it(home: Cli) -> None:
    with home.running("serve", "--port", "0", "--new-key") as running, browse(running) as browser:
        wait_until(lambda: running.out.read_text().startswith("osk_"), "the key")
        key = running.out.read_text().strip()
        url = str(browser.base_url)
        answer = httpx.post(
            f"{url}/sync/session",
            json={"externalId": "s", "title": "From a plugin"},
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        )
        assert answer.json()["ok"] is True
        assert "From a plugin" in browser.get("/").text
        assert running.stop() == 0
    with home.running("serve", "--port", "0") as running:
        running.wait_for("/login?token=")
        assert running.out.read_text() == ""


def test_serve_listens_to_this_machine_only_unless_told(home: Cli) -> None:
    done = home("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - what must be refused
    assert done.code == 2
    assert "--remote" in done.err


@pytest.mark.parametrize("extras", ["true", "false"])
def test_what_is_sent_to_it_is_what_verify_reads_back(home: Cli, extras: str) -> None:
    home.variables |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(TRANSCRIPTS),
        "PI_OPENSYNC_TOOL_CALLS": extras,
        "PI_OPENSYNC_THINKING": extras,
    }
    served = str(home.home / "served")
    with (
        home.running("serve", "--port", "0", "--new-key", PI_OPENSYNC_STATE_DIR=served) as running,
        browse(running) as page,
    ):
        home.variables["PI_OPENSYNC_CONVEX_URL"] = str(page.base_url).rstrip("/")
        home.variables["PI_OPENSYNC_API_KEY"] = running.out.read_text().strip()
        assert home("sync").code == 0
        verified = home("verify", "--json")
        assert (verified.code, json.loads(verified.out)["found"]) == (0, [])
        assert json.loads(verified.out)["sessions"] > 10
        assert running.stop() == 0


def test_a_server_that_others_log_in_to_is_told_their_machine_and_all_that_is_noted(home: Cli) -> None:
    home.variables |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(TRANSCRIPTS),
        "PI_OPENSYNC_TOOL_CALLS": "true",
        "PI_OPENSYNC_MACHINE": "desk",
    }
    served = str(home.home / "served")
    with (
        home.running("serve", "--port", "0", "--new-key", PI_OPENSYNC_STATE_DIR=served) as running,
        browse(running) as browser,
    ):
        key = running.out.read_text().strip()
        url = str(browser.base_url).rstrip("/")
        assert home("login", "--url", url, "--key-stdin", stdin=f"{key}\n").code == 0
        assert home("sync").code == 0
        verified = home("verify", "--json")
        assert (verified.code, json.loads(verified.out)["found"]) == (0, [])
        numbers = browser.get("/api/numbers?days=all", headers={"Authorization": f"Bearer {key}"}).json()
        assert numbers["machines"][0]["name"] == "desk"
        assert any(tool["timedCalls"] and tool["durationMs"] for tool in numbers["tools"])
        assert running.stop() == 0


def test_a_session_deleted_on_the_page_stays_away_and_is_not_missed(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    write(home, "two", "another question", "another answer")
    with home.running("watch", "--local", "--port", "0") as running, browse(running) as browser:
        wait_until(lambda: "another question" in browser.get("/").text, "both sessions")
        wait_until(lambda: status(home)["state"]["messages_delivered"] == 4, "all messages")
        number = re.search(
            r'href="/sessions/(\d+)">(?:<span[^>]*></span>)?a question of mine', browser.get("/").text
        )
        assert number is not None
        headers = {"origin": str(browser.base_url).rstrip("/")}
        assert browser.post(f"/sessions/{number[1]}/delete", headers=headers).status_code == 200
        write(home, "one", "more to the first")
        wait_until(lambda: status(home)["state"]["messages_delivered"] == 5, "what was said next", 20)
        page = browser.get("/").text
        assert ("a question of mine" in page, "another question" in page) == (False, True)
        verified = home("verify")
        assert "1 sessions compared, 0 differences; 1 deleted on the dashboard, and left so" in verified.out
        assert verified.code == 0
        assert json.loads(home("verify", "--json").out)["deleted"] == 1
        assert running.stop() == 0


def test_a_dashboard_that_is_served_already_gives_keys_and_lets_browsers_in(home: Cli) -> None:
    write(home, "one", "a question of mine")
    with home.running("watch", "--local", "--port", "0") as running, browse(running) as first:
        url = str(first.base_url).rstrip("/")
        plain = home("serve")
        assert (plain.code, url in plain.err, "--new-key" in plain.err) == (7, True, True)
        again = home("watch", "--local")
        assert (again.code, "serve --open" in again.err) == (7, True)
        done = home("serve", "--new-key")
        assert done.code == 0
        headers = {"Authorization": f"Bearer {done.out.strip()}"}
        assert httpx.get(f"{url}/api/sessions", headers=headers, trust_env=False).status_code == 200
        link = PAGE.search(done.err)
        assert link is not None
        with httpx.Client(follow_redirects=True, trust_env=False) as second:
            assert str(second.get(link[0]).url) == f"{url}/"
            assert str(second.get(link[0]).url) == f"{url}/"
        assert httpx.get(link[0], trust_env=False).status_code == 403
        assert running.stop() == 0


def test_a_service_prints_no_way_in_and_status_shows_where_it_is(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    assert "run `pi-opensync login`" in home("status").out
    with home.running("watch", "--local", "--port", "0", "--no-link") as running:
        running.wait_for("following")
        wait_until(lambda: status(home)["state"]["messages_delivered"] == 2, "both messages")
        report = status(home)
        assert report["running"]["command"] == "watch --local"
        assert report["pulse"]["pid"] == running.process.pid
        url = report["dashboard"]["url"]
        assert f"yours     {url}; `pi-opensync serve --open` opens it" in home("status").out
        (listed,) = json.loads(home("list", "--json").out)["sessions"]
        assert (listed["sent"], listed["why"]) == (2, None)
        assert "none needed for your own dashboard" in home("doctor").out
        assert "token" not in running.err.read_text()
        link = PAGE.search(home("serve", "--new-key").err)
        assert link is not None
        assert httpx.get(link[0], trust_env=False).headers["location"] == "/"
        assert running.stop() == 0


def test_systemd_hears_when_it_is_ready_and_when_it_stops(home: Cli) -> None:
    write(home, "one", "a question of mine")
    address = home.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        words = ("watch", "--local", "--port", "0", "--no-link")
        with home.running(*words, NOTIFY_SOCKET=str(address)) as running:
            heard = [manager.recv(1000).decode()]
            while not heard[-1].startswith("READY"):
                heard.append(manager.recv(1000).decode())
            assert running.stop() == 0
            while not heard[-1].startswith("STOPPING"):
                heard.append(manager.recv(1000).decode())


BROWSER = """
import html, os, re, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
way = sys.argv[2].removeprefix("file://")
mode = oct(os.stat(way).st_mode & 0o777)
link = html.unescape(re.search('url=([^"]*)"', open(way).read())[1])
page = opener.open(link, timeout=20).geturl()
open(sys.argv[1], "w").write(f"{mode} {'token' in ''.join(sys.argv)} {page}")
"""


@pytest.mark.parametrize("words", [("serve",), ("watch", "--local"), ("serve", "--demo")])
def test_a_browser_that_stays_is_answered_while_it_opens(home: Cli, words: tuple[str, ...]) -> None:
    script, seen = home.home / "browser.py", home.home / "seen"
    script.write_text(BROWSER)
    chosen = f"{sys.executable} {script} {seen} %s"
    with home.running(*words, "--port", "0", "--open", BROWSER=chosen) as running:
        wait_until(lambda: seen.exists() and seen.read_text().endswith("/"), "the page", 30)
        seen.unlink()
        if "--demo" not in words:
            assert home("serve", "--open", BROWSER=chosen).code == 0
            assert seen.read_text().startswith("0o600 False http://127.0.0.1:")
        assert running.stop() == 0


def test_no_browser_for_terminals_takes_over_this_one(home: Cli) -> None:
    tools = home.home / "tools"
    tools.mkdir()
    for name in ("www-browser", "links", "elinks", "lynx", "w3m"):
        (tools / name).write_text(f"#!/bin/sh\n: > {home.home}/taken\n")
        (tools / name).chmod(0o755)
    with home.running("serve", "--port", "0", PATH=str(tools)) as running:
        running.wait_for("/login?token=")
        done = home(
            "serve", "--open", PATH=str(tools), TERM="xterm", DISPLAY="", WAYLAND_DISPLAY="", BROWSER=""
        )
        assert (done.code, "/login?token=" in done.err) == (0, True)
        assert not (home.home / "taken").exists()
        assert running.stop() == 0


def test_a_dashboard_that_was_killed_is_served_anew(home: Cli) -> None:
    with home.running("serve", "--port", "0") as running:
        running.wait_for("/login?token=")
        running.process.kill()
        running.process.wait()
    with home.running("serve", "--port", "0", "--new-key") as running, browse(running) as browser:
        assert browser.get("/").status_code == 200
        assert running.stop() == 0


def test_a_port_that_is_taken_is_named(home: Cli) -> None:
    with home.running("serve", "--port", "0") as running, browse(running) as browser:
        port = str(browser.base_url.port)
        done = home("watch", "--local", "--port", port)
        assert done.code == 1
        assert port in done.err


def test_the_first_run_beside_another_shows_the_way_in(home: Cli) -> None:
    write(home, "one", "a question of mine")
    with home.running("watch", "--local", "--port", "0", "--no-link") as running:
        running.wait_for("following")
        module = (sys.executable, "-m", "pi_opensync", "start")
        done = subprocess.run(
            module, cwd=home.home, env=home.environment(), capture_output=True, text=True, check=True
        )
        link = PAGE.search(done.stderr)
        assert link is not None
        assert httpx.get(link[0], trust_env=False).headers["location"] == "/"
        assert running.stop() == 0


@pytest.mark.parametrize("has_sessions", [True, False])
def test_the_first_run_ends_with_a_page(home: Cli, *, has_sessions: bool) -> None:
    if has_sessions:
        write(home, "one", "a question of mine")
    module = (sys.executable, "-m", "pi_opensync", "start")
    out, err = home.home / "first.out", home.home / "first.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            module,
            cwd=home.home,
            env=home.environment(),
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
        )
    running = Running(process, out, err)
    try:
        with browse(running) as browser:
            wanted = "a question of mine" if has_sessions else "Checkout total off by a cent"
            wait_until(lambda: wanted in browser.get("/").text, "the session in the list")
        assert ("samples" in err.read_text()) is not has_sessions
        assert running.stop() == 0
    finally:
        process.kill()
        process.wait()


def test_once_ends_when_all_is_on_the_dashboard(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    for options in ((), ("--backfill",)):
        done = home("watch", "--local", "--once", "--port", "0", *options)
        assert done.code == 0, done.err
        assert "token" not in done.err
        assert status(home)["state"]["messages_delivered"] == 2


def test_where_the_usual_port_is_taken_another_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def served() -> str:
        serves = serving.serving(tmp_path, "watch --local", "127.0.0.1", None, clean=None, budget=Budget())
        async with serves as (url, _keys):
            return url

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(serving, "PORT", port)
        assert not asyncio.run(served()).endswith(f":{port}")
    assert f"Port {port} is taken" in capsys.readouterr().err


def test_it_is_verified_without_being_served_and_beside_its_server(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    assert home("watch", "--local", "--once", "--port", "0").code == 0
    verified = home("verify", "--json")
    assert (verified.code, json.loads(verified.out)) == (
        0,
        {"schema": 1, "sessions": 1, "deleted": 0, "differences": 0, "found": []},
    )
    with home.running("watch", "--local", "--port", "0", "--no-link") as running:
        running.wait_for("following")
        assert home("verify").code == 0
        assert home("verify", "--repair").code == 7
        assert running.stop() == 0


def test_what_is_missing_of_it_is_sent_again(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    assert home("watch", "--local", "--once", "--port", "0").code == 0
    (home.home / "state/local/opensync.sqlite3").unlink()
    found = json.loads(home("verify", "--json").out)
    assert (found["differences"], found["found"][0]["place"]) == (3, "yours")
    assert home("verify", "--repair").code == 0
    assert home("verify").code == 0


def test_status_says_when_a_budget_is_passed(home: Cli) -> None:
    with home.running("serve", "--port", "0", "--new-key") as running, browse(running) as page:
        message = {
            "sessionExternalId": "s",
            "externalId": "m",
            "role": "assistant",
            "cost": 3.0,
            "createdAt": round(time.time() * 1000),
        }
        headers = {"Authorization": f"Bearer {running.out.read_text().strip()}"}
        url = f"{str(page.base_url).rstrip('/')}/sync/message"
        assert httpx.post(url, json=message, headers=headers, trust_env=False).status_code == 200
        assert status(home)["budgets"] == []
        home.variables |= {"PI_OPENSYNC_BUDGET_DAILY": "2", "PI_OPENSYNC_BUDGET_MONTHLY": "50"}
        assert [each["is_passed"] for each in status(home)["budgets"]] == [True, False]
        said = home("status").out
        assert "budget    $3.00 today, of $2.00: it is passed" in said
        assert "budget    $3.00 this month, of $50.00" in said
        assert running.stop() == 0
    assert home("status", PI_OPENSYNC_BUDGET_DAILY="much").code == 6
