"""Keys and cookies: random, stored as hashes, and good for no longer than they should be."""

from pathlib import Path

import pytest

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.keys import COOKIE_MS, LOGIN_TOKEN_MS, KeyHolder, Keys
from tests.dashboard.conftest import Clock, Local


def test_a_key_is_held_by_every_server_over_the_same_file(store: Connections, clock: Clock) -> None:
    key = Keys(store, now=clock).issue("plugin")
    assert key.startswith("osk_")
    assert Keys(store, now=clock).holder(key) is KeyHolder.OTHER


def test_no_secret_stands_in_the_file(store: Connections, clock: Clock, tmp_path: Path) -> None:
    keys = Keys(store, now=clock)
    secrets = [keys.issue("a"), keys.issue_for_this_run(), keys.login_token()]
    cookie = keys.admit(secrets[0])
    assert cookie is not None
    content = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"keys" in content
    assert [secret for secret in [*secrets, cookie] if secret.removeprefix("osk_").encode() in content] == []


def test_a_key_for_this_run_ends_with_it(store: Connections, clock: Clock) -> None:
    keys = Keys(store, now=clock)
    key = keys.issue_for_this_run()
    assert keys.holder(key) is KeyHolder.OWN_DAEMON
    assert Keys(store, now=clock).holder(key) is None


def test_wrong_keys_are_not_held(store: Connections, clock: Clock) -> None:
    keys = Keys(store, now=clock)
    key = keys.issue("a")
    assert [
        wrong for wrong in ("", "osk_", key[:-1], key + "x", key.upper(), "\udc80") if keys.holds(wrong)
    ] == []


def test_a_login_token_is_good_once_and_for_ten_minutes(store: Connections, clock: Clock) -> None:
    keys = Keys(store, now=clock)
    token = keys.login_token()
    assert keys.redeem(token) is not None
    assert keys.redeem(token) is None
    late = keys.login_token()
    clock.ms += LOGIN_TOKEN_MS
    assert keys.redeem(late) is None


def test_a_cookie_ends_by_age_and_by_logging_out(store: Connections, clock: Clock) -> None:
    keys = Keys(store, now=clock)
    first, second = (keys.redeem(keys.login_token()) or "" for _ in range(2))
    assert (keys.knows(first), keys.knows(second)) == (True, True)
    keys.forget(first)
    assert (keys.knows(first), keys.knows(second)) == (False, True)
    clock.ms += COOKIE_MS
    assert not keys.knows(second)


def test_tokens_that_nobody_uses_do_not_pile_up(store: Connections, clock: Clock) -> None:
    keys = Keys(store, now=clock)
    tokens = [keys.login_token() for _ in range(150)]
    assert keys.redeem(tokens[0]) is None
    assert keys.redeem(tokens[-1]) is not None


def test_the_link_lets_a_browser_in_once(local: Local) -> None:
    url = f"/login?token={local.keys.login_token()}"
    answer = local.ask("GET", url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("opensync_8000=")
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert local.ask("GET", "/", headers={"cookie": cookie.split(";")[0]}).status_code == 200
    assert local.ask("GET", url).status_code == 403


def test_a_browser_that_looks_ahead_does_not_use_the_link_up(local: Local) -> None:
    url = f"/login?token={local.keys.login_token()}"
    assert local.ask("GET", url, headers={"sec-purpose": "prefetch;prerender"}).status_code == 503
    assert local.ask("GET", url).status_code == 303


def test_asking_for_the_head_alone_does_not_use_the_link_up(local: Local) -> None:
    url = f"/login?token={local.keys.login_token()}"
    answer = local.ask("HEAD", url)
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert local.ask("GET", url).status_code == 303


def test_a_used_link_leads_whoever_is_logged_in_to_the_page(local: Local) -> None:
    url = f"/login?token={local.keys.login_token()}"
    local.ask("GET", url)
    answer = local.ask("GET", url, headers={"cookie": local.cookie})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert local.ask("GET", url).status_code == 403


@pytest.mark.parametrize(
    "odd",
    [
        b'prefs={"a":"b"}',
        b"x[y]=1",
        b"flag",
        b"=",
        b"name=\xe9\xff",
        b"a=b=c",
        b'q="; z',
        b"opensync_8000=of-another-path",
        b"opensync_8000=",
    ],
)
@pytest.mark.parametrize("form", [b"%s; %s", b"%s;%s", b"%s ;  %s"])
def test_odd_cookies_of_other_programs_log_nobody_out(local: Local, odd: bytes, form: bytes) -> None:
    ours = local.cookie.encode()
    for cookie in (form % (odd, ours), form % (ours, odd)):
        assert local.ask("GET", "/", headers={"cookie": cookie}).status_code == 200
    headers = [(b"cookie", odd), (b"cookie", ours)]
    assert local.ask("GET", "/", headers=headers).status_code == 200


def test_a_key_lets_a_browser_in_by_the_form(local: Local) -> None:
    assert local.ask("POST", "/login", data={"key": local.key}).status_code == 303
    assert local.ask("POST", "/login", data={"key": "osk_wrong"}).status_code == 403
    assert local.ask("POST", "/login", content=b"\xff" * 100).status_code == 403
    assert local.ask("POST", "/login", content=b"key=" + b"x" * 50_000).status_code == 413


def test_logging_out_ends_the_cookie(local: Local) -> None:
    headers = {"cookie": local.cookie}
    assert local.ask("POST", "/logout", headers=headers).headers["location"] == "/login"
    assert local.ask("GET", "/", headers=headers).headers["location"] == "/login"


@pytest.mark.parametrize(
    ("to", "led"),
    [
        ("/numbers?days=all", "/numbers?days=all"),
        ("/sessions/5?at=7", "/sessions/5?at=7"),
        ("//other.test/", "/"),
        ("/\\other.test/", "/"),
        ("https://other.test/", "/"),
        ("/a\r\nset-cookie: a=b", "/"),
        ("/\tx", "/"),
        ("", "/"),
        ("/" + "x" * 5000, "/"),
    ],
)
def test_a_login_leads_to_what_was_asked_for_and_never_elsewhere(local: Local, to: str, led: str) -> None:
    answer = local.ask("POST", "/login", data={"key": local.key, "to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, led)
    form = local.ask("GET", "/login", params={"to": to}).text
    assert f'name="to" value="{led}"' in form


def test_a_page_without_a_cookie_leads_to_the_login_and_back(local: Local) -> None:
    asked = local.ask("GET", "/search?q=a+b&in=5")
    assert asked.headers["location"] == "/login?to=%2Fsearch%3Fq%3Da%2Bb%26in%3D5"
    assert 'value="/search?q=a+b&amp;in=5"' in local.ask("GET", asked.headers["location"]).text
    assert local.ask("GET", "/").headers["location"] == "/login"
    assert local.ask("POST", "/logout").headers["location"] == "/login"


def test_keys_are_listed_made_and_revoked_on_a_page_of_their_own(local: Local) -> None:
    headers = {"cookie": local.cookie}
    assert "There is none." in local.page("/keys")
    made = local.ask("POST", "/keys", data={"name": " claude\ncode "}, headers=headers).text
    key = made.split("<code>osk_")[1].split("</code>")[0]
    assert local.keys.holds(f"osk_{key}")
    page = local.page("/keys")
    assert ("claude code" in page, key in page) == (True, False)
    (known,) = local.keys.listed()
    address = f"/keys/{known.id}/revoke"
    assert address in page
    assert local.ask("POST", address).headers["location"] == "/login"
    assert local.ask("POST", address, headers=headers).status_code == 303
    assert (local.keys.listed(), local.keys.holds(f"osk_{key}")) == ([], False)
    assert local.ask("POST", address, headers=headers).status_code == 404
    assert local.ask("POST", "/keys/x/revoke", headers=headers).status_code == 404


def test_the_page_of_keys_is_for_those_who_are_logged_in(local: Local) -> None:
    for method, address in (("GET", "/keys"), ("POST", "/keys"), ("POST", "/keys/00/revoke")):
        answer = local.ask(method, address, headers=local.bearer)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert local.keys.listed() == []
