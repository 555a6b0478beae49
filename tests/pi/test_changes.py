"""The change that pi's edit tool noted, with its line numbers, and no secret between them."""

import base64
import secrets

import pytest

from pi_opensync.model import Options
from pi_opensync.pi.edits import change
from pi_opensync.privacy.cleaner import Cleaner, Withholding
from pi_opensync.privacy.redact import Redactor
from tests.fold.folding import PLAIN, call, fold_entries, result, said

REDACTING = Cleaner(Redactor())
NOTED = "    ...\n  9 import os\n-10 a = 1\n+10 a = 2\n 11 \n    ..."


@pytest.mark.parametrize(
    "noted", [NOTED, "+1 new", "-1 gone\n", " 1 same\n+2 \n", "+1 \n", "+1", "   1 a\n+ 10 b\n-100 c"]
)
def test_it_is_taken_as_pi_noted_it(noted: str) -> None:
    assert change({"diff": noted}, PLAIN) == noted.removesuffix("\n")


@pytest.mark.parametrize(
    "details",
    [None, "x", [], {}, {"diff": None}, {"diff": 3}, {"diff": ""}, {"diff": "--- a\n+++ b\n@@ -1 +1 @@\n+x"}],
)
def test_what_is_no_change_of_pis_is_none(details: object) -> None:
    assert change(details, PLAIN) is None


def test_a_secret_in_a_line_is_redacted_and_the_numbers_stay() -> None:
    secret = "ghp_" + secrets.token_hex(18)
    found = change({"diff": f" 1 import os\n-2 key = '{secret}'\n+2 key = os.environ['KEY']"}, REDACTING)
    assert found is not None
    assert secret not in found
    assert [line[:3] for line in found.split("\n")] == [" 1 ", "-2 ", "+2 "]


def test_a_secret_of_several_lines_takes_the_change_away() -> None:
    body = [base64.b64encode(secrets.token_bytes(48)).decode() for _ in range(5)]
    lines = ["-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----"]
    noted = "\n".join(f"+{number} {line}" for number, line in enumerate(lines, 1))
    found = change({"diff": noted}, REDACTING)
    assert found is None or not any(line in found for line in body)
    mixed = noted.replace("+3 ", "-3 old\n+3 ")
    found = change({"diff": mixed}, REDACTING)
    assert found is None or not any(line in found for line in body)


def test_of_what_can_not_be_redacted_nothing_is_left() -> None:
    assert change({"diff": NOTED}, Withholding()) is None


@pytest.mark.parametrize("ran", [-1, True, "5", None, float("nan")])
def test_a_time_that_is_none_is_left_out(ran: object) -> None:
    options = Options(sync_tool_calls=True, extras=True)
    answered = result("c", "out", 2, durationMs=ran)
    shown = fold_entries(said("assistant", [call("c")], 1), answered, options=options).only
    assert shown.parts[-1].duration_ms is None


@pytest.mark.parametrize("extras", [True, False])
def test_only_a_dashboard_of_ones_own_gets_them(extras: bool) -> None:
    options = Options(sync_tool_calls=True, extras=extras)
    answered = result("c", "out", 2, details={"diff": NOTED}, durationMs=12)
    part = fold_entries(said("assistant", [call("c")], 1), answered, options=options).only.parts[-1]
    assert (part.content, part.diff, part.duration_ms) == (
        ("out", NOTED, 12) if extras else ("out", None, None)
    )
