"""The URL of a deployment as users paste it."""

import pytest

from pi_opensync.cli.login import meant_url
from pi_opensync.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("happy-otter-123.convex.cloud", "https://happy-otter-123.convex.site"),
        (" https://happy-otter-123.convex.cloud/ ", "https://happy-otter-123.convex.site"),
        ("https://happy-otter-123.convex.cloud/dashboard", "https://happy-otter-123.convex.site"),
        ("https://opensync.example/dashboard/settings", "https://opensync.example"),
        ("https://opensync.example/base", "https://opensync.example/base"),
        ("localhost:4780", "http://localhost:4780"),
        ("http://127.0.0.1:4780/settings", "http://127.0.0.1:4780"),
    ],
)
def test_what_is_pasted_is_understood(text: str, meant: str) -> None:
    assert meant_url(text) == meant


@pytest.mark.parametrize(
    "text", ["", "https://", "http://opensync.example", "ftp://x", "https://x:0", "https://u@x"]
)
def test_what_leads_nowhere_is_named_by_the_option(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--url"):
        meant_url(text)
