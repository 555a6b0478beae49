"""The stand-in as a server on a real socket, in this process and in another."""

import os
import re
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.standin.backend import OpenSync
from tests.standin.faults import Busy, CutAfter, CutBefore, ErrorAfter, Fault, Hang, HtmlAfter
from tests.standin.server import Server, running

KEY = "osk_" + secrets.token_hex(8)
BEARER = {"Authorization": f"Bearer {KEY}"}


def made() -> OpenSync:
    return OpenSync(now=time.time, key=KEY)


def client_of(server: Server, timeout: float = 10) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers=BEARER, timeout=timeout, trust_env=False)


def test_requests_of_one_connection_are_served_in_turn() -> None:
    with running(made()) as server, client_of(server) as client:
        for number in range(20):
            assert client.post("/sync/session", json={"externalId": f"s{number}"}).json()["ok"] is True
        assert len(client.get("/sync/sessions/list").json()["sessionIds"]) == 20
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/nowhere").status_code == 404


def test_a_body_of_many_mib_arrives_whole() -> None:
    with running(made()) as server, client_of(server) as client:
        parts = [{"type": "text", "content": "x" * 1_000_000}] * 10
        sent = {"sessionExternalId": "s", "externalId": "m", "role": "user", "parts": parts}
        assert client.post("/sync/message", json=sent).status_code == 200
        assert server.opensync.messages["m"].parts == parts


@pytest.mark.parametrize(
    ("fault", "stored"), [(CutBefore(), False), (CutAfter(), True), (Hang(), False)], ids=repr
)
def test_a_fault_without_an_answer_ends_the_request(fault: Fault, stored: bool) -> None:
    with running(made()) as server, client_of(server, timeout=0.3) as client:
        server.faults = lambda _method, _path: fault
        with pytest.raises(httpx.TransportError):
            client.post("/sync/session", json={"externalId": "s"})
        assert ("s" in server.opensync.sessions) is stored


@pytest.mark.parametrize(
    ("fault", "status"), [(ErrorAfter(), 500), (Busy(503, "3"), 503), (HtmlAfter(), 200)], ids=repr
)
def test_a_fault_with_an_answer_keeps_the_connection(fault: Fault, status: int) -> None:
    with running(made()) as server, client_of(server) as client:
        server.faults = lambda _method, _path: fault
        for _ in range(2):
            assert client.post("/sync/session", json={"externalId": "s"}).status_code == status


def test_overlapping_writes_to_one_session_are_counted_while_a_delay_holds_them() -> None:
    with running(made(), delay=0.2) as server, client_of(server) as client, ThreadPoolExecutor(3) as pool:
        posts = [
            pool.submit(client.post, "/sync/session", json={"externalId": name}) for name in ("a", "a", "b")
        ]
        assert [post.result().status_code for post in posts] == [200, 200, 200]
        assert server.opensync.counters.concurrent_session_writes == 1


def test_the_paths_for_tests_need_no_key_and_meet_no_faults() -> None:
    with running(made()) as server, client_of(server) as client:
        client.post("/sync/session", json={"externalId": "s", "title": "t"})
        assert client.post("/_standin/faults", json={"rate": 1, "seed": 1}).status_code == 200
        bare = httpx.get(f"{server.url}/_standin/snapshot", trust_env=False)
        assert bare.json() == server.opensync.snapshot()
        assert client.get("/_standin/counters").json()["requests"] == {"/sync/session": 1}
        client.post("/_standin/faults", json={"rate": 0, "seed": 1})
        assert client.get("/sync/sessions/list").json() == {"sessionIds": ["s"]}


def test_a_process_of_its_own_prints_its_address_and_serves() -> None:
    command = [sys.executable, "-m", "tests.standin", "--port", "0", "--batch-keeps-dates"]
    environment = {**os.environ, "STANDIN_KEY": KEY}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
            batch = {"sessions": [{"externalId": "s", "createdAt": 5}]}
            post = httpx.post(f"{url}/sync/batch", json=batch, headers=BEARER, trust_env=False)
            assert post.json()["errors"] == []
            shown = httpx.get(f"{url}/_standin/snapshot", trust_env=False).json()
            assert shown["sessions"]["s"]["createdAt"] == 5
        finally:
            process.terminate()


def test_a_process_without_a_key_does_not_start() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "STANDIN_KEY"}
    command = [sys.executable, "-m", "tests.standin"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 2
    assert "STANDIN_KEY" in ended.stderr
