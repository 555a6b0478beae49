"""Settings that do not exist are named, with the nearest that does."""

import json
from pathlib import Path

from pi_opensync.doctor import configured
from pi_opensync.doctor.misspelt import unknown


def test_what_is_no_setting_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"syncToolcalls": True, "syncThinking": True, "colour": 1}))
    env = {
        "HOME": str(tmp_path),
        "PI_OPENSYNC_CONFIG": str(path),
        "PI_OPENSYNC_SYNC_TOOLCALLS": "1",
        "PI_OPENSYNC_DEBUG": "1",
    }
    assert unknown(env) == {
        "syncToolcalls": "syncToolCalls",
        "colour": None,
        "PI_OPENSYNC_SYNC_TOOLCALLS": "PI_OPENSYNC_TOOL_CALLS",
    }
    check = configured.spelling(env)
    assert check.verdict == "warn"
    assert "did you mean syncToolCalls?" in check.detail


def test_where_every_setting_is_one_nothing_is_said(tmp_path: Path) -> None:
    assert configured.spelling({"HOME": str(tmp_path)}).verdict == "ok"
