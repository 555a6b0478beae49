"""All built-in rules, in the order in which they are tried, compiled once."""

import functools
from hashlib import sha256
from pathlib import Path

from pi_opensync.privacy.redact.assignments import ASSIGNMENTS
from pi_opensync.privacy.redact.command_lines import COMMAND_RULES
from pi_opensync.privacy.redact.credential_files import FILES
from pi_opensync.privacy.redact.databases import DATABASES
from pi_opensync.privacy.redact.engine import Rule, RuleEngine
from pi_opensync.privacy.redact.issuers import ISSUERS
from pi_opensync.privacy.redact.lines import LINES
from pi_opensync.privacy.redact.pairs import PAIRS
from pi_opensync.privacy.redact.services import SERVICES
from pi_opensync.privacy.redact.shapes import SHAPES


def version_of(folder: Path) -> int:
    """A number made from the sources of the rules in the folder: it changes with each of them."""
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return int.from_bytes(digest.digest()[:6], "big")


RULES_VERSION = version_of(Path(__file__).parent)
"""Other with every change of what is found, so that what was sent under other rules can be told apart."""

OWN_KEY = Rule("own-key", "A", "the key in the settings, however it is escaped")
USER_PATTERN = Rule("user-pattern", "D", "redact_patterns in the settings")
EMAIL = Rule("email", "D", "redact_emails in the settings; RFC 5321 section 4.1.2")
HOME = Rule("home", "D", "redact_home in the settings")

BUILT_IN: tuple[Rule, ...] = (
    *ISSUERS,
    *SHAPES,
    *FILES,
    *COMMAND_RULES,
    *LINES,
    *SERVICES,
    *DATABASES,
    *ASSIGNMENTS,
    *PAIRS,
)
RULES: tuple[Rule, ...] = (OWN_KEY, *BUILT_IN, USER_PATTERN, EMAIL, HOME)


@functools.cache
def engine() -> RuleEngine:
    return RuleEngine(BUILT_IN)
