"""`serve`: an OpenSync of one's own for browsers and plugins, its addresses and its keys."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import httpx
import pytest

from pi_opensync.cli import serving
from pi_opensync.dashboard.db.budget import Budget
from tests.cli.local import PAGE, browse, write
from tests.conftest import Cli, wait_until
from tests.harness import TRANSCRIPTS


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


@pytest.mark.parametrize("command", ["serve", "watch --local"])
def test_a_name_of_the_settings_is_answered_and_its_link_printed(home: Cli, command: str) -> None:
    home.variables["PI_OPENSYNC_HOST_NAMES"] = "https://box.example, Other.Example"
    with home.running(*command.split(), "--port", "0") as running:
        running.wait_for("https://other.example/login?token=")
        told = running.err.read_text()
        assert "https://box.example/login?token=" in told
        url = told.split("Your sessions: ")[1].partition("/login")[0]
        for host, status in (("box.example", 200), ("other.example", 200), ("third.example", 403)):
            answer = httpx.get(f"{url}/health", headers={"host": host}, trust_env=False)
            assert answer.status_code == status


def test_a_name_that_no_browser_can_send_is_refused_by_the_settings(home: Cli) -> None:
    home.variables["PI_OPENSYNC_HOST_NAMES"] = "two names"
    done = home("serve", "--port", "0")
    assert done.code == 6
    assert "PI_OPENSYNC_HOST_NAMES" in done.err


def test_serve_listens_to_this_machine_only_unless_told(home: Cli) -> None:
    done = home("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - what must be refused
    assert done.code == 2
    assert "--remote" in done.err


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
        assert json.loads(home("status", "--json").out)["places"][0]["name"] == "server"
        numbers = browser.get("/api/numbers?days=all", headers={"Authorization": f"Bearer {key}"}).json()
        assert numbers["machines"][0]["name"] == "desk"
        assert any(tool["timedCalls"] and tool["durationMs"] for tool in numbers["tools"])
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


def test_a_port_that_is_taken_is_named(home: Cli) -> None:
    with home.running("serve", "--port", "0") as running, browse(running) as browser:
        port = str(browser.base_url.port)
        done = home("watch", "--local", "--port", port)
        assert done.code == 1
        assert port in done.err


def test_where_the_usual_port_is_taken_another_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def served() -> str:
        serves = serving.serving(tmp_path, "watch --local", "127.0.0.1", None, clean=None, budget=Budget())
        async with serves as (url, *_rest):
            return url

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(serving, "PORT", port)
        assert not asyncio.run(served()).endswith(f":{port}")
    assert f"Port {port} is taken" in capsys.readouterr().err
