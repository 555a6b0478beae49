"""How much is caught, how much is a false alarm, and how fast, on texts that are not part of this project.

python -m tests.privacy.redact.measure text FOLDER...      findings a MB, and MB a second of processor time
python -m tests.privacy.redact.measure gitleaks FILE.toml  samples made from each rule with a shape of its own
python -m tests.privacy.redact.measure secrets FILE        JSON lines {"text": ..., "secret": ...}
"""

import json
import random
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pi_opensync.privacy.redact import OverBudget, Redactor
from tests.privacy.redact.made import made

EACH = 20
WARM = 500  # texts
TEXT = re.compile(r"\.(?:py|md|txt|[cm]?js|ts|json|html|css|rst|ya?ml|toml|c|h|sh|go|rs)")
LARGEST = 3_000_000  # bytes
BY_NAME = re.compile(r"\{0,50\}\?(?:\(\?:|\()")  # a rule of gitleaks that a name gives away, not a shape
# Rules of what surrounds a secret, of which nothing that is drawn at random is an instance.
BY_FORM = re.compile(
    "curl-auth-.*|freemius-secret-key|jwt.*|kubernetes-secret-yaml|nuget-config-password|private-key"
)


def texts(folders: list[str]) -> Iterator[str]:
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            is_text = TEXT.fullmatch(path.suffix) is not None and path.is_file() and not path.is_symlink()
            if is_text and path.stat().st_size < LARGEST:
                yield path.read_text("utf-8", "replace")


def measure_texts(folders: list[str]) -> None:
    redactor, found, size, spent = Redactor(), Counter[str](), 0, 0.0
    for text in islice(texts(folders), WARM):  # the automata are made as they are needed
        redactor.scan(text)
    for text in texts(folders):
        begun = time.process_time()
        try:
            found.update(finding.rule for finding in redactor.scan(text)[1])
        except OverBudget:
            found["over budget"] += 1
        spent += time.process_time() - begun
        size += len(text)
    megabytes = size / 1e6
    print(f"{megabytes:.0f} MB, {megabytes / spent:.0f} MB/s, {found.total() / megabytes:.2f} findings a MB")
    print(dict(found.most_common()))


def of_gitleaks(file: str) -> Iterator[tuple[str, str, str]]:
    """Rule, text and secret of samples drawn from the patterns in gitleaks' configuration."""
    rng = random.Random(1)  # noqa: S311 - the same samples in every run
    for rule in tomllib.loads(Path(file).read_text())["rules"]:
        pattern = rule.get("regex", "")
        if not pattern or BY_NAME.search(pattern) or "generic" in rule["id"] or BY_FORM.fullmatch(rule["id"]):
            continue
        pattern = re.sub(r"(?<=[a-z])\.(?=[a-z])", r"\\.", pattern)
        pattern = pattern.replace("(?i)", "").replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]")
        for _ in range(EACH):
            text = made(pattern.encode(), rng)
            match = re.search(pattern, text)
            if match is not None:
                yield (
                    rule["id"],
                    text,
                    match.group(1) if match.re.groups and match.group(1) else match.group(),
                )


def of_lines(file: str) -> Iterator[tuple[str, str, str]]:
    for line in Path(file).read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["secret"]:
            yield one.get("name", "secret"), one["text"], one["secret"]


def measure_secrets(samples: Iterator[tuple[str, str, str]]) -> None:
    redactor, caught, missed = Redactor(), Counter[str](), Counter[str]()
    for name, text, secret in samples:
        (missed if secret in redactor.scan(text)[0] else caught)[name] += 1
    total = caught.total() + missed.total()
    share = caught.total() / max(1, total)
    print(f"{caught.total()} of {total} caught ({share:.1%}), of {len(caught | missed)} kinds")
    for name, count in missed.most_common():
        print(f"  missed {count} of {count + caught[name]}: {name}")


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "text":
        measure_texts(given)
    else:
        measure_secrets((of_gitleaks if what == "gitleaks" else of_lines)(given[0]))
