import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pi_opensync.privacy import redact
from pi_opensync.privacy.redact import RULES, RULES_VERSION, Redactor
from pi_opensync.privacy.redact.rules import version_of
from tests.privacy.redact.corpus import samples

SAMPLES = samples()
BY_RULE = {rule: [s for s in SAMPLES if s.rule == rule] for rule in dict.fromkeys(s.rule for s in SAMPLES)}
BY_SETTINGS = {"own-key", "user-pattern", "email", "home"}

PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "prose": lambda text: f"I tried it with {text} and it did not work.",
    "shell output": lambda text: f"$ cat .env\nDEBUG=1\n{text}\n$ ",
    "json": lambda text: json.dumps({"output": f"a\n{text}\nb", "ok": True}),
    "json in json": lambda text: json.dumps({"arguments": json.dumps({"content": f"a\n{text}\nb"})}),
    "json in json in json": lambda text: json.dumps([json.dumps([json.dumps([f"x\n{text}"])])]),
    "start": lambda text: f"{text}\nand more",
    "end": lambda text: f"more and\n{text}",
    "beside non-ascii": lambda text: f"clé → {text} ✓ ключ",
    "colours": lambda text: f"\x1b[32m{text}\x1b[0m",
    "behind an escaped line end": lambda text: f"first\\n{text}\\nlast",
    "twice": lambda text: f"{text}\n{text}\n",
}
LINE = "filler text, line by line.\n"


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_stands(place: str) -> None:
    redactor, missed = Redactor(), list[tuple[str, int]]()
    for rule, made in BY_RULE.items():
        for number, sample in enumerate(made):
            output, findings = redactor.scan(PLACES[place](sample.text))
            if sample.leaks_in(output) or rule not in {finding.rule for finding in findings}:
                missed.append((rule, number))
    assert missed == []


def test_a_secret_is_found_beyond_256_kib() -> None:
    redactor, missed = Redactor(), list[tuple[str, int]]()
    for rule, made in BY_RULE.items():
        output, findings = redactor.scan(LINE * 10_000 + f"\n{LINE}".join(sample.text for sample in made))
        missed += [(rule, number) for number, sample in enumerate(made) if sample.leaks_in(output)]
        missed += [] if rule in {finding.rule for finding in findings} else [(rule, -1)]
    assert missed == []


def test_the_corpus_has_five_secrets_or_more_of_every_built_in_rule() -> None:
    made = Counter(sample.rule for sample in SAMPLES)
    assert {rule.name for rule in RULES} - BY_SETTINGS == set(made)
    assert min(made.values()) >= 5


def test_every_rule_says_where_its_form_comes_from() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.source and rule.tier in "ABCD" for rule in RULES)


@pytest.mark.parametrize("changed", ["words.py", "names.py", "issuers/ai.py", "issuers/more.py"])
def test_the_version_changes_with_any_source_of_the_rules(tmp_path: Path, changed: str) -> None:
    rules = Path(redact.__file__).parent
    copy = tmp_path / "redact"
    shutil.copytree(rules, copy)
    assert version_of(copy) == RULES_VERSION == version_of(rules)
    with (copy / changed).open("a") as file:
        file.write("MORE = 1\n")
    assert version_of(copy) != RULES_VERSION


def test_only_the_value_is_replaced() -> None:
    redactor, wrong = Redactor(), list[tuple[str, int]]()
    for rule, made in BY_RULE.items():
        for number, sample in enumerate(made):
            if sample.text == sample.secret:
                continue
            head, tail = sample.text.split(sample.secret)
            if redactor.scan(sample.text)[0] != f"{head}[REDACTED:{rule}]{tail}":
                wrong.append((rule, number))
    assert wrong == []


def test_findings_are_counted_by_rule() -> None:
    redactor = Redactor()
    sample = BY_RULE["github-token"][0]
    redactor.text(f"{sample.text} and {sample.text}")
    redactor.json({"a": [sample.text]})
    assert redactor.found == {"github-token": 3}


def test_a_finding_says_the_rule_and_the_size_and_not_the_secret() -> None:
    sample = BY_RULE["npm-token"][0]
    _, (finding,) = Redactor().scan(sample.text)
    assert (finding.rule, finding.size) == ("npm-token", len(sample.secret))
    assert sample.secret not in repr(finding)
