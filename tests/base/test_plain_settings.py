"""A setting that is plainly right is what pydantic makes of it; and pydantic is loaded for others alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pi_opensync.judging import WrongSettingError, judged
from pi_opensync.setting import plainly
from pi_opensync.settings import DESCRIBED, Secret
from tests.conftest import new_key

URLS = st.sampled_from(["https://otter-1.convex.cloud", "http://example.org", "https://user@example.org"])
WORDS = st.sampled_from(["true", "True", "FALSE", "1", "0", "yes", "off", " true", "server", "transcript"])
ODD = st.sampled_from(
    ["Server", "20", "-1", "1e3", "nan", "/a:~/b", "say 'it is'", "say 'it", "\udc80", "x" * 101]
)
KEYS = st.sampled_from(["osk_" + "0" * 8, " osk_1 ", "sk_1"])
TEXTS = URLS | WORDS | ODD | KEYS | st.text(st.characters(exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-2, 30) | st.floats() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("name", DESCRIBED)
@given(value=VALUES)
@example(value=float("inf"))
@example(value="osk_\udc80")
def test_what_is_plainly_right_is_what_pydantic_makes_of_it(name: str, value: Any) -> None:
    try:
        plain = plainly(DESCRIBED[name], value)
    except (ValueError, KeyError):
        return  # pydantic is asked
    try:
        asked = judged({name: value}, DESCRIBED)[name]
    except WrongSettingError as wrong:
        pytest.fail(f"{name} is wrong: {wrong.reason}")
    assert plain == asked
    assert type(plain) is type(asked)


USUAL: dict[str, Any] = {
    "convex_url": "https://otter-1.convex.cloud",
    "api_key": new_key(),
    "sync_tool_calls": "true",
    "sync_thinking": True,
    "timestamps": "server",
    "exclude": ["~/work/client"],
    "machine": "desk",
    "budget_daily": 20,
    "notify_command": "notify-send pi",
    "sessions_dir": "/a:/b",
    "state_dir": "/var/lib/pi-opensync",
}


@pytest.mark.parametrize("name", USUAL)
def test_what_users_write_is_plain(name: str) -> None:
    value = plainly(DESCRIBED[name], USUAL[name])
    assert value == judged({name: USUAL[name]}, DESCRIBED)[name]
    assert not isinstance(value, Secret) or value.get_secret_value() == USUAL[name]


LOADED = """
import sys
from pi_opensync.settings import load
print(load().{name}, "pydantic" in sys.modules)
"""


@pytest.mark.parametrize(("given", "said"), [("true", "True False"), ("yes", "True True")])
def test_pydantic_is_loaded_for_what_is_not_plain(tmp_path: Path, given: str, said: str) -> None:
    environment = {"HOME": str(tmp_path), "PI_OPENSYNC_DEBUG": given, "PATH": os.environ["PATH"]}
    code = LOADED.format(name="debug")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said
