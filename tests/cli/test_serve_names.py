"""`serve --name`: what a browser can send in Host is taken, everything else refused."""

import pytest

from pi_opensync.cli.serve import host_name
from pi_opensync.errors import UsageError


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("sessions.example.com", "sessions.example.com"),
        ("Sessions.Example.COM.", "sessions.example.com"),
        ("sessions.example.com:8443", "sessions.example.com"),
        ("https://sessions.example.com", "sessions.example.com"),
        ("https://sessions.example.com:8443/", "sessions.example.com"),
        ("box", "box"),
        ("my_box.local", "my_box.local"),
        ("192.168.1.7:80", "192.168.1.7"),
        ("[fd00::7]:80", "fd00::7"),
        ("http://[FD00:0::7]", "fd00::7"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_is_what_a_browser_sends(text: str, host: str) -> None:
    assert host_name(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "*",
        "*.example.com",
        "https://",
        "example.com/sessions",
        "https://example.com/?q",
        "user@example.com",
        "two names",
        "example.com:port",
        "example.com:99999",
        "-dash.example",
        "a..b",
        "fd00::7",
        "[fd00::zz]",
        "a" * 64 + ".example",
        "$HOST",
    ],
)
def test_what_can_never_match_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        host_name(text)
