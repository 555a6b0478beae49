"""Both dashboards are kept, one's own and OpenSync's: commands speak of each under its name."""

import json
import shutil
import time
from pathlib import Path

import apsw
import pytest

from pi_opensync.address import state_folder
from tests.conftest import Cli, wait_until
from tests.harness import header, line, said, session_id
from tests.standin.backend import OpenSync

SAMPLES = Path(__file__).parents[2] / "pi_opensync/samples"


@pytest.fixture
def both(cli: Cli) -> Cli:
    begun = time.time() - 60
    for name in ("a", "b"):
        lines = (header(name, begun), said("user", f"About {name}", begun + 1))
        (cli.home / "sessions" / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    assert cli("sync", "--yes").code == 0
    assert cli("watch", "--local", "--once", "--port", "0").code == 0
    return cli


def test_status_tells_of_each(both: Cli) -> None:
    report = json.loads(both("status", "--json").out)
    assert [place["name"] for place in report["places"]] == ["OpenSync", "yours"]
    assert [place["state"]["messages_delivered"] for place in report["places"]] == [2, 2]
    assert report["state"] == report["places"][0]["state"]
    text = both("status").out
    assert text.count("2 delivered, 0 waiting") == 4


def test_list_has_a_line_a_session_of_each(both: Cli) -> None:
    listed = json.loads(both("list", "--json").out)["sessions"]
    assert sorted((row["place"], row["id"]) for row in listed) == sorted(
        (place, session_id(name)) for place in ("OpenSync", "yours") for name in ("a", "b")
    )
    text = both("list").out
    assert text.index("OpenSync") < text.index("yours")


def test_verify_compares_each(both: Cli, opensync: OpenSync) -> None:
    done = both("verify")
    assert done.code == 0
    assert "OpenSync: 2 sessions compared, 0 differences" in done.out
    assert "yours: 2 sessions compared, 0 differences" in done.out
    opensync.messages.clear()
    done = both("verify", "--json")
    assert done.code == 8
    assert {item["place"] for item in json.loads(done.out)["found"]} == {"OpenSync"}


def test_queue_shows_and_retries_what_each_refused(both: Cli) -> None:
    places = {
        "OpenSync": state_folder(both.home / "state", both.variables["PI_OPENSYNC_CONVEX_URL"]),
        "yours": both.home / "state" / "local" / "sync",
    }
    for folder in places.values():
        connection = apsw.Connection(str(folder / "state.sqlite3"))
        connection.execute("UPDATE messages SET wanted = x'7b7d', parked = 'too large' WHERE id = 1")
        connection.close()
    listed = json.loads(both("queue", "list", "--json").out)
    assert sorted(row["place"] for row in listed) == ["OpenSync", "yours"]
    assert both("queue", "list").out.count("yours: ") == 1
    assert "2 wanted again" in both("queue", "retry", "--all").out
    assert json.loads(both("queue", "list", "--json").out) == []


def test_doctor_looks_at_the_state_of_each(both: Cli) -> None:
    checks = json.loads(both("doctor", "--json").out)["checks"]
    assert [check["detail"] for check in checks if check["name"] == "state"] == [
        "OpenSync: whole",
        "yours: whole",
    ]


def test_ones_own_dashboard_that_is_logged_in_to_is_one(fresh_cli: Cli, free_port: int) -> None:
    """As a machine does that serves for others too, and sends its own sessions like them."""
    shutil.copytree(SAMPLES, fresh_cli.home / ".pi/agent/sessions")
    url = f"http://localhost:{free_port}"
    with fresh_cli.running("serve", "--port", str(free_port), "--new-key") as running:
        wait_until(lambda: running.out.read_text().endswith("\n"), "the key")
        key = running.out.read_text().strip()
        variables = {"PI_OPENSYNC_CONVEX_URL": url, "PI_OPENSYNC_API_KEY": key}
        assert fresh_cli("sync", "--yes", **variables).code == 0
        done = fresh_cli("verify", **variables)
        assert (done.code, done.out) == (0, "3 sessions compared, 0 differences\n")
        report = json.loads(fresh_cli("status", "--json", **variables).out)
        assert [(place["name"], place["url"]) for place in report["places"]] == [("yours", url)]
        assert fresh_cli("list", **variables).out.count("webshop") == 2


def test_one_that_is_kept_equal_already_needs_no_second_daemon(fresh_cli: Cli, free_port: int) -> None:
    shutil.copytree(SAMPLES, fresh_cli.home / ".pi/agent/sessions")
    with fresh_cli.running("watch", "--local", "--port", str(free_port)) as running:
        running.wait_for("up to date")
        key = fresh_cli("serve", "--new-key", "--port", str(free_port)).out.strip()
        variables = {"PI_OPENSYNC_CONVEX_URL": f"http://127.0.0.1:{free_port}", "PI_OPENSYNC_API_KEY": key}
        for command in ("watch", "sync"):
            done = fresh_cli(command, **variables)
            assert (done.code, "`pi-opensync watch --local`" in done.err) == (7, True)
        assert fresh_cli("verify", **variables).code == 0
