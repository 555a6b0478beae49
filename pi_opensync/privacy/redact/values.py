"""Whether what stands behind a secret's name is one, or a word, a type, a reference or a placeholder."""

import re
from itertools import pairwise

from pi_opensync.privacy.redact.names import Kind, is_env_name, kind_of, opens_something
from pi_opensync.privacy.redact.words import (
    HEX,
    UUID,
    has_digit,
    is_letters,
    is_named,
    is_placeholder,
    is_random,
    is_reference,
    is_sequence,
    word_set,
)

_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z_.]*")
_CODE = re.compile(rb"[A-Za-z_$][A-Za-z0-9_.$]*(?:\[|\(|->|::)")
_ONE_RUN = re.compile(rb"[a-z0-9]+")
_ODD_SIGN = re.compile(rb"[A-Za-z][$#^&*+~@%][A-Za-z]|[A-Za-z]{4}[$#^&*~]\Z|[A-Za-z][!?][A-Za-z]")
_CODE_SIGN = re.compile(rb"[\[\](){}|\\<>/:;,]|%[sd]")
_SYMBOL = re.compile(rb"[!#$%&*+=?@^~]")

_SHORTEST: dict[Kind, int] = {"password": 6, "secret": 8, "weak": 12, "key": 24}
_SHORTEST_PLAIN_SECRET = 10
_SHORTEST_HEX = 16
_FEWEST_SWITCHES = 6

# Words that stand where a password would, in code, schemas, forms and manuals.
_NO_PASSWORDS = word_set(
    "string text none null nil true false undefined required optional hidden input field label varchar str"
    " bytes boolean number object any void char secret value default empty missing invalid correct wrong"
    " prompt stdin file env environment config settings option encrypted plaintext plain hashed generate"
    " generated random unset redacted masked disabled enabled anonymous postgres mysql admin root user guest"
    " public private username email login test tests testing self this args kwargs props state event async"
    " await return const function new old forgot reset change confirm confirmation current repeat show hide"
    " strength policy bearer basic digest inherit prefer disable allow verify"
)


def is_secret(name: bytes, value: bytes, *, quoted: bool, literal: bool = False) -> bool:
    """Whether the value behind this name is a secret.

    quoted: a string literal, not a variable or a type. literal: it stands as data, as behind the `=` of an
    environment variable, so that a word counts too.
    """
    kind = kind_of(name)
    if kind is None or len(value) < _SHORTEST[kind]:
        return False
    if kind == "password":
        return _is_password(name, value, quoted=quoted, literal=literal) and not is_placeholder(value)
    return b" " not in value and _is_random_one(kind, value) and not is_placeholder(value)


def is_sure(name: bytes, value: bytes) -> bool:
    """As `is_secret`, for looser forms (prose, tables, arguments): no word, and no word with a number."""
    if not is_secret(name, value, quoted=True) or b" " in value:
        return False
    if kind_of(name) != "password":
        return True
    return len(value) >= _SHORTEST["secret"] and has_digit(value) and not is_named(value)


def is_common_word(value: bytes) -> bool:
    """Whether it is a word that stands in a password's place so often that it gives nothing away."""
    return value.lower().decode("utf-8", "replace") in _NO_PASSWORDS or kind_of(value) is not None


def is_code(value: bytes) -> bool:
    """Whether it begins as a call or an index does: `getpass.getpass(`, `os.environ[`."""
    return _CODE.match(value) is not None


def _is_random_one(kind: Kind, value: bytes) -> bool:
    if kind == "key":
        return (
            HEX.fullmatch(value) is None
            and UUID.fullmatch(value) is None
            and (_mixes(value) or _is_one_run(value))
            and is_random(value)
        )
    if UUID.fullmatch(value) is not None:
        return not is_sequence(value)
    if len(value) < _SHORTEST_PLAIN_SECRET and not (_mixes(value) and _SYMBOL.search(value) is not None):
        return False
    if HEX.fullmatch(value) is not None and len(value) < _SHORTEST_HEX:
        return False
    return is_random(value)


def _is_password(name: bytes, value: bytes, *, quoted: bool, literal: bool) -> bool:
    if is_reference(value) and UUID.fullmatch(value) is None:
        return False
    if b" " in value:
        return quoted and _is_phrase(value, sure=is_env_name(name))
    word = value.lower().rstrip(b"0123456789")
    if is_env_name(name) and literal:
        return kind_of(value) is None
    if is_letters(value):
        return (quoted and _ODD_SIGN.search(value) is not None and _CODE_SIGN.search(value) is None) or (
            (quoted or literal)
            and opens_something(name)
            and value.isalpha()
            and word.decode() not in _NO_PASSWORDS
            and kind_of(value) is None
        )
    if not quoted and (_IDENTIFIER.fullmatch(value) is not None or is_code(value) or _is_type(value)):
        return False
    return quoted or not is_named(value) or kind_of(word) is None


def _is_type(value: bytes) -> bool:
    """A name with a number inside: `Uint8Array`."""
    return value.isalnum() and is_named(value) and not value.rstrip(b"0123456789").isalpha()


def _is_phrase(value: bytes, *, sure: bool) -> bool:
    """A password with spaces, not a sentence about one: some part of it is no word."""
    parts = value.split()
    if any(kind_of(part.strip(b".,:;!?")) is not None for part in parts):
        return False
    return sure or any(
        has_digit(part) and _SYMBOL.search(part) is not None and not is_named(part) for part in parts
    )


def _mixes(value: bytes) -> bool:
    return not value.islower() and not value.isupper() and has_digit(value) and value.isascii()


def _is_one_run(value: bytes) -> bool:
    """Small letters and digits without a separator, changing often: no name and no number does that."""
    if _ONE_RUN.fullmatch(value) is None:
        return False
    digits = [chr(byte).isdigit() for byte in value]
    return sum(one != other for one, other in pairwise(digits)) >= _FEWEST_SWITCHES
