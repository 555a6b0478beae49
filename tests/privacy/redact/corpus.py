"""Secrets of every kind, the same in every run."""

import re
from collections.abc import Callable
from functools import cache

from pi_opensync.privacy.redact import RULES, Rule
from pi_opensync.privacy.redact.words import is_random
from tests.privacy.redact.forms import shaped
from tests.privacy.redact.made import made
from tests.privacy.redact.prefixes import prefixed
from tests.privacy.redact.samples import EACH, Maker, Sample


def _of_shape(rule: Rule) -> Callable[[Maker], Sample]:
    """A value of an issuer's shape, made from the rule itself; a group in it is the part that is secret."""

    def sample(maker: Maker) -> Sample:
        while True:
            text = made(rule.shape, maker.random)
            match = re.fullmatch(
                rule.shape, text.encode("latin-1"), re.IGNORECASE if rule.fold else re.NOFLAG
            )
            opened = any(lead in match.group(0) for lead in rule.leads) if match is not None else False
            if match is not None and opened and is_random(match.group()):
                start, end = match.span(1 if match.re.groups else 0)
                return Sample(rule.name, text, text[start:end])

    return sample


MAKERS = (*prefixed(), *shaped(), *(_of_shape(rule) for rule in RULES if rule.shape))


@cache
def samples() -> tuple[Sample, ...]:
    """Every kind, several of each, the same in every run."""
    return tuple(
        make(Maker(1000 * number + seed)) for number, make in enumerate(MAKERS) for seed in range(EACH)
    )
