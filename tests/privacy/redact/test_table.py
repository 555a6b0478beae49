"""The table of rules is made from the rules."""

from pi_opensync.privacy.redact import RULES, Redactor
from pi_opensync.privacy.redact.table import EXAMPLES, rows


def test_every_rule_has_a_kind_an_example_and_a_source() -> None:
    made = list(rows())
    assert [row.name for row in made] == [rule.name for rule in RULES]
    assert all(row.kind and row.example and row.source for row in made)


def test_an_example_by_hand_belongs_to_a_rule_of_surroundings() -> None:
    assert set(EXAMPLES) == {rule.name for rule in RULES if not rule.shape or rule.name in EXAMPLES}


def test_no_example_is_a_secret_itself() -> None:
    for row in rows():
        assert "[REDACTED:" not in Redactor().text(row.example), row
