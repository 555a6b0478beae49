"""Over https only a server that is certified is sent to, and a proxy sees nothing of the key."""

import ssl
from pathlib import Path

import pytest
import trustme

from pi_opensync.opensync.client import Client
from pi_opensync.opensync.outcomes import Outcome, Verdict
from tests.opensync.raw_server import Server, answer, message, run, serving

# over TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The only one that is trusted."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authorities.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return made


def certified(by: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    by.issue_cert(name).configure_cert(context)
    return context


def over_tls(server: Server, tls: ssl.SSLContext) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        async with serving(server, tls=tls, host="localhost") as client:
            return [await message(client), await message(client)]

    return run(ask)


def test_a_server_that_is_certified_is_sent_to_over_one_connection(authority: trustme.CA) -> None:
    server = Server()
    outcomes = over_tls(server, certified(authority, "localhost"))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 2
    assert server.connections == [0, 0]


@pytest.mark.parametrize("what", ["another name", "another authority"])
def test_nothing_is_sent_to_a_server_that_is_not_certified(authority: trustme.CA, what: str) -> None:
    wrong = {
        "another name": certified(authority, "elsewhere.test"),
        "another authority": certified(trustme.CA(), "localhost"),
    }
    server = Server()
    outcomes = over_tls(server, wrong[what])
    assert {(outcome.verdict, outcome.arrived) for outcome in outcomes} == {(Verdict.AWAY, False)}
    assert outcomes[0].reason == "the server's certificate is not trusted, or TLS failed"
    assert server.requests == []


# through a proxy


@pytest.mark.parametrize(("excepted", "is_asked"), [("", True), ("opensync.invalid", False)])
def test_a_proxy_is_asked_where_the_environment_names_one(
    authority: trustme.CA,  # noqa: ARG001 - the environment
    monkeypatch: pytest.MonkeyPatch,
    excepted: str,
    *,
    is_asked: bool,
) -> None:
    proxy = Server(answer(b"", status="502 Bad Gateway"))

    async def ask() -> Outcome:
        async with serving(proxy) as address:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{address.host}")
            monkeypatch.setenv("NO_PROXY", excepted)
            async with Client("https://opensync.invalid", "osk_" + "k" * 8, now=lambda: 0.0) as client:
                return await message(client)

    assert run(ask).verdict is Verdict.AWAY
    heads = [head for _number, head, _body in proxy.requests]
    assert [head.partition(b"\r\n")[0] for head in heads] == (
        [b"CONNECT opensync.invalid:443 HTTP/1.1"] if is_asked else []
    )
    assert all(b"osk_" not in head for head in heads), "a proxy sees nothing of the key"
