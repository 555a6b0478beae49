"""A real browser with a page that is logged in, and what the page complained about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.dashboard.conftest import Local

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def program() -> str:
    """Where chromium is; the test is skipped without it, and fails where it is required.

    Chromium's shell without windows draws the same, and takes half of the time: it has no menus and bars.
    """
    found = os.environ.get("PI_OPENSYNC_CHROMIUM")
    found = found or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        reason = "chromium is not installed"
        if os.environ.get("PI_OPENSYNC_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Tab:
    """A page that is logged in, and everything that it complained about or asked others for."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        page.on("console", lambda message: self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._check(request.url))

    def _dismiss(self, dialog: Any) -> None:
        self.troubles.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _check(self, asked: str) -> None:
        if not asked.startswith(self.url):
            self.troubles.append(f"asked {asked}")

    def open(self, path: str) -> Any:
        self.page.goto(self.url + path)
        return self.page


@contextmanager
def opened(browser: Any, local: Local, url: str, **options: Any) -> Iterator[Tab]:
    """A page in a context of its own: nothing that other pages keep is known to it."""
    with admitted(browser, local, url, **options) as context, beside(context, url) as tab:
        yield tab


@contextmanager
def admitted(browser: Any, local: Local, url: str, **options: Any) -> Iterator[Any]:
    """A context that is logged in."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    cookie = local.keys.admit(local.key)
    assert cookie is not None
    context.add_cookies([{"name": f"opensync_{urlsplit(url).port}", "value": cookie, "url": url}])
    yield context
    context.close()


@contextmanager
def beside(context: Any, url: str) -> Iterator[Tab]:
    """A page of a context, beside others that it may have."""
    tab = Tab(context.new_page(), url)
    yield tab
    tab.page.close()
    assert tab.troubles == []
