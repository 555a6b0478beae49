"""What a dry run folds is in no file that a killed process would leave behind."""

import os
from pathlib import Path

import pytest

from pi_opensync.inspect.dry import folded
from pi_opensync.model import Options
from pi_opensync.pi import discover
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.known import KnownExclusions
from pi_opensync.privacy.projects import Projects
from tests.harness import TRANSCRIPTS


def test_a_dry_run_leaves_no_file_to_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    folders = (TRANSCRIPTS,)
    files = discover.files(folders)
    clean = Cleaner(None)
    judge = Judge(Projects(), KnownExclusions(), clean)
    with folded(files, folders, Options(), judge=judge, clean=clean, now=lambda: 1e9) as (database, problems):
        assert database.one("SELECT count(*) FROM messages") > 100
        assert problems == {}
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - any name at all
