"""The changelog has the form of Keep a Changelog, and what is released has its day."""

import re

from pi_opensync import __version__
from tests.docs.pages import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_versions_are_dated_and_what_is_to_come_stands_first() -> None:
    heads = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", head) for head in heads[1:])
    if len(heads) > 1:
        assert heads[1].startswith(f"[{__version__}]")


def test_changes_stand_under_their_kind() -> None:
    kinds = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert kinds
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
