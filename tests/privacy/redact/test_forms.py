"""Forms in which secrets stand where people and agents write them, and others like them that hold none.

`forms.jsonl`: `{}` is where the secret stands, `{B64}` where `joe:secret` stands in base64, `{PCT}` where it
stands percent-encoded.
"""

import base64
import json
import string
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pi_opensync.privacy.redact import Redactor
from tests.privacy.redact.samples import ALNUM, Maker

HERE = Path(__file__).parent
WORDS = ("swordfish", "correcthorse", "rosenkohl", "butterblume", "tigerlily", "zanzibar")
FORMS: list[dict[str, Any]] = [json.loads(line) for line in (HERE / "forms.jsonl").read_text().splitlines()]
HARMLESS: list[str] = [json.loads(line) for line in (HERE / "harmless.jsonl").read_text().splitlines()]
EACH = 3


def signs(maker: Maker) -> str:
    return f"{maker.of(ALNUM, 4)}{maker.of('$!&;#', 1)}{maker.of(ALNUM, 4)}{maker.of('%^*@', 1)}x7"


VALUES: dict[str, Callable[[Maker], str]] = {
    "password": lambda maker: maker.alnum(12),
    "token": lambda maker: maker.alnum(32),
    "hex": lambda maker: maker.hex(32),
    "base64": lambda maker: base64.b64encode(maker.alnum(12).encode()).decode(),
    "padded": lambda maker: base64.b64encode(maker.alnum(13).encode()).decode(),
    "word": lambda maker: maker.random.choice(WORDS),
    "uuid": lambda maker: str(uuid.UUID(int=maker.random.getrandbits(128))),
    "signs": signs,
    "dollar": lambda maker: f"{maker.alnum(12)}${maker.of(string.ascii_letters, 3)}",
}


@pytest.mark.parametrize("kind", VALUES)
def test_the_secret_is_gone(kind: str) -> None:
    redactor, left = Redactor(), list[tuple[str, int]]()
    for form in FORMS:
        for seed in range(EACH if form["value"] == kind else 0):
            secret = VALUES[kind](Maker(7000 + seed))
            coded = base64.b64encode(f"joe:{secret}".encode()).decode()
            encoded = quote(secret, safe="")
            text = form["text"].replace("{}", secret).replace("{B64}", coded).replace("{PCT}", encoded)
            output = redactor.scan(text)[0]
            if any(each in output for each in (secret, coded, encoded)):
                left.append((form["name"], seed))
    assert left == []


def test_what_holds_no_secret_is_untouched() -> None:
    redactor = Redactor()
    assert [text for text in HARMLESS if redactor.scan(text)[0] is not text] == []
