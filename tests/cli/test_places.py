"""Both dashboards are kept, one's own and OpenSync's: commands speak of each under its name."""

import json
import sqlite3
import time

import pytest

from pi_opensync.address import state_folder
from tests.conftest import Cli
from tests.harness import header, line, said, session_id
from tests.standin.backend import OpenSync


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
        with sqlite3.connect(folder / "state.sqlite3") as connection:
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
