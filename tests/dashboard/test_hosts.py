"""Who is heard: known hosts, no foreign origins, a key for the API, a cookie for the pages."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.hosts import is_loopback
from pi_opensync.dashboard.web.keys import Keys
from tests.dashboard.conftest import Clock, Local

PAGES = [
    "/",
    "/numbers",
    "/search?q=x",
    "/sessions/1",
    "/sessions/1/changes?after=0",
    "/sessions/1/export/json",
]
API = ["/sync/sessions/list", "/api/sessions", "/api/stats", "/api/search?q=x", "/api/export?id=1"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:1234", "[::1]:8000", "127.1.2.3", "LOCALHOST"])
def test_the_names_of_this_machine_are_answered(local: Local, host: str) -> None:
    assert local.ask("GET", "/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "user@127.0.0.1",
        "127.0.0.1/x",
        "127.0.0.1:99999999",
        "127.0.0.1:x",
        "192.168.1.5:8000",
        "0.0.0.0",  # noqa: S104 - asked for, not bound
        "[::1",
        "",
    ],
)
def test_a_name_that_is_not_this_machines_is_refused(local: Local, host: str) -> None:
    for path in ("/health", "/", "/api/sessions"):
        assert local.ask("GET", path, headers={"host": host, **local.bearer}).status_code == 403


def health(app: Starlette, server: str, **headers: str) -> int:
    """Ask whether it is well, at that address or name, and give the status of the answer."""

    async def ask() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{server}") as client:
            return (await client.get("/health", headers=headers)).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("server", "host", "status"),
    [
        ("192.168.1.5", "192.168.1.5:8000", 200),
        ("[fd00::2]", "[fd00:0::2]:8000", 200),
        ("192.168.1.5", "192.168.1.6:8000", 403),
        ("192.168.1.5", "evil.example", 403),
        ("evil.example", "evil.example", 403),
    ],
)
def test_the_address_that_was_connected_to_is_answered_and_no_other(
    local: Local, server: str, host: str, status: int
) -> None:
    assert health(local.app, f"{server}:8000", host=host) == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://sessions.example", 200),
        ("https://sessions.example", 200),
        ("https://sessions.example:8443", 403),
        ("https://evil.example", 403),
    ],
)
def test_a_name_that_was_given_is_answered_also_behind_tls(
    store: Connections, clock: Clock, origin: str, status: int
) -> None:
    app = create_app(store, Keys(store, now=clock), now=clock, hosts=["Sessions.Example"])
    assert health(app, "sessions.example", origin=origin) == status


@pytest.mark.parametrize(("origin", "status"), [("https://box.example", 200), ("http://box.example", 403)])
def test_behind_tls_a_page_without_it_is_another_site(
    store: Connections, clock: Clock, origin: str, status: int
) -> None:
    app = create_app(store, Keys(store, now=clock), now=clock, hosts=["box.example"])
    assert health(app, "box.example", origin=origin, **{"x-forwarded-proto": "https"}) == status


@pytest.mark.parametrize("forwarded", ["https", "https, http", "http", None])
def test_a_login_behind_tls_is_never_sent_without_it(local: Local, forwarded: str | None) -> None:
    headers = {"x-forwarded-proto": forwarded} if forwarded else {}
    given = local.ask("POST", "/login", data={"key": local.key}, headers=headers).headers["set-cookie"]
    assert ("secure" in given.lower()) is (forwarded or "").startswith("https")
    assert "httponly" in given.lower()
    assert "samesite=lax" in given.lower()


def test_is_loopback() -> None:
    assert [
        name for name in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost") if not is_loopback(name)
    ] == []
    assert [name for name in ("0.0.0.0", "::", "10.0.0.1", "example.org", "") if is_loopback(name)] == []  # noqa: S104 - asked about, not bound


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8000", "null", "", "file://"],
)
def test_a_foreign_origin_is_refused_even_with_key_and_cookie(local: Local, origin: str) -> None:
    headers = {"origin": origin, "cookie": local.cookie, **local.bearer}
    assert local.ask("POST", "/sync/session", json={"externalId": "s"}, headers=headers).status_code == 403
    assert local.ask("POST", "/logout", headers=headers).status_code == 403
    assert local.ask("GET", "/", headers=headers).status_code == 403
    assert local.get("/sync/sessions/list")["sessionIds"] == []


def test_its_own_origin_is_answered(local: Local) -> None:
    headers = {"origin": "http://127.0.0.1:8000", "cookie": local.cookie}
    assert local.ask("GET", "/", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_write_that_another_site_made_a_browser_send_is_refused(local: Local, site: str) -> None:
    headers = {"sec-fetch-site": site, "cookie": local.cookie}
    assert local.ask("POST", "/logout", headers=headers).status_code == 403
    assert local.ask("GET", "/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer osk_wrong", "Basic b3NrXw==", "osk_x", "Bearer \xff"],
)
def test_the_api_needs_a_key(local: Local, path: str, authorization: str | None) -> None:
    headers = {"cookie": local.cookie}
    if authorization is not None:
        headers["authorization"] = authorization
    answer = local.ask(
        "GET", path, headers={name: value.encode("latin-1") for name, value in headers.items()}
    )
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid API key"})


@pytest.mark.parametrize("path", ["/sync/session", "/sync/message", "/sync/batch"])
def test_writing_needs_a_key(local: Local, path: str) -> None:
    answer = local.ask("POST", path, json={"externalId": "s"}, headers={"cookie": local.cookie})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/sync", "/api", "/docs", "/Sync/session"])
@pytest.mark.parametrize(
    "cookie", [None, "opensync_8000=wrong", "opensync_8000=", "opensync_1=x", "\x7f;=;", "a" * 5000]
)
def test_the_pages_need_a_cookie(local: Local, path: str, cookie: str | None) -> None:
    headers = {**local.bearer, **({"cookie": cookie} if cookie else {})}
    answer = local.ask("GET", path, headers=headers)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize("path", ["/", "/login", "/health", "/nothing", "/static/base.css", "/api/stats"])
def test_every_answer_carries_the_headers(local: Local, path: str) -> None:
    headers = local.ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers


def test_pages_are_not_kept_by_the_browser_and_static_files_are(local: Local) -> None:
    assert local.ask("GET", "/login").headers["cache-control"] == "no-store"
    assert "immutable" in local.ask("GET", "/static/base.css").headers["cache-control"]


def test_an_error_that_nobody_foresaw_is_a_plain_500(local: Local, caplog: pytest.LogCaptureFixture) -> None:
    def broken(request: Request) -> Response:
        raise ZeroDivisionError(request.url.path)

    local.app.router.routes.insert(0, Route("/health", broken))
    answer = local.ask("GET", "/health")
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal error"})
    assert "content-security-policy" in answer.headers
    assert "ZeroDivisionError" in caplog.text
    local.app.router.routes.insert(0, Route("/keys", broken))
    page = local.page("/keys", status=500)
    assert "<h1>" in page
    assert "Internal error" in page
    local.app.router.routes.insert(0, Route("/health", lambda _: PlainTextResponse("well")))
    assert local.ask("GET", "/health").text == "well"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py",
        "/static/%2e%2e/pages.py",
        "/static/..%2fpages.py",
        "/static/%00",
        "/static//etc/passwd",
        "/static/",
        "/sessions/..%2f..%2fetc%2fpasswd",
        "/sessions/%00",
        "/sessions/1e5",
        "/sessions/-1",
        "/sessions/²",
        "/sessions/1/messages/x/parts/0",
        "/sessions/1/export/..%2f..",
        "/%ff%fe",
        "/" + "a" * 5000,
    ],
)
def test_tricks_in_the_path_find_nothing(local: Local, path: str) -> None:
    answer = local.ask("GET", path, headers={"cookie": local.cookie})
    assert answer.status_code in (404, 405), answer.text[:200]
    assert "import" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/?before=x",
        "/?before=1.2.3",
        "/?since_day=yesterday",
        "/?until=9999-12-31",
        "/?since_day=0001-01-01",
        "/search?q=x&in=abc",
        "/search?q=x&before=-5",
        "/numbers?days=5",
        "/sessions/1/changes?after=x",
    ],
)
def test_tricks_in_the_query_get_a_4xx(local: Local, path: str) -> None:
    assert local.ask("GET", path, headers={"cookie": local.cookie}).status_code in (400, 404, 200)
    assert local.ask("GET", "/", headers={"cookie": local.cookie}).status_code == 200
