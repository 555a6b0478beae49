"""`watch --local` and the first run: an OpenSync of one's own, as a user starts it."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.cli.local import PAGE, browse, status, write
from tests.conftest import Cli, Running, wait_until
from tests.harness import TRANSCRIPTS


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


@pytest.mark.slow
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
        assert "1 session compared, 0 differences; 1 deleted on the dashboard, and left so" in verified.out
        assert verified.code == 0
        assert json.loads(home("verify", "--json").out)["deleted"] == 1
        assert running.stop() == 0


def test_a_service_prints_no_way_in_and_status_shows_where_it_is(home: Cli) -> None:
    write(home, "one", "a question of mine", "an answer to it")
    assert "`pi-opensync login`" in home("status").out
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


def test_a_dashboard_that_was_killed_is_served_anew(home: Cli) -> None:
    with home.running("serve", "--port", "0") as running:
        running.wait_for("/login?token=")
        running.process.kill()
        running.process.wait()
    with home.running("serve", "--port", "0", "--new-key") as running, browse(running) as browser:
        assert browser.get("/").status_code == 200
        assert running.stop() == 0


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
