"""Telling a secret's characters from a name, a path, a hash that is no secret, or a placeholder."""

import math
import re
from collections import Counter


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLACEHOLDER_NAMES = word_set(
    "changeme dummy example examples fake here insert placeholder redacted replace replaceme sample"
    " todo your yours"
)
_PLACEHOLDER_PARTS = re.compile(
    rb"(?i:example)|\A(?:abcdefghij|ABCDEFGHIJ)|\.\.\.|\xe2\x80\xa6|\*{3}|\$\{|\{\{|\}\}|%\([a-z_]{1,30}\)s|<[a-z]|x{5}|X{5}"
)
_MOST_OF_ONE_CHARACTER = 0.5
_REPEATED = 15

_WORDS = re.compile(rb"[A-Za-z]+")
_DIGIT = re.compile(rb"[0-9]")
_RANDOM_ENTROPY = 3.0  # bits a byte; twelve random letters have about 3.4, words and numbers less
_SPLIT = re.compile(rb"[^A-Za-z0-9]+")
_HUMP = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LETTERS = re.compile(rb"[a-z]{1,20}|[A-Z]{1,20}|[A-Z][a-z]{1,20}")
_LETTERS_THEN_DIGITS = re.compile(
    rb"(?:[a-z]{1,16}|[A-Z]{1,16}|[A-Z][a-z]{1,16})[0-9]{1,4}|[vV]?[0-9]{1,8}[a-z]?"
)
_SHORTEST_AVERAGE_HUMP = 3
_VOWEL = re.compile(rb"[aeiouyAEIOUY]")
_LONGEST_WORD = 20
_SHORT_NAME = 8
_LONGEST_WORD_AROUND_A_NUMBER = 12
_CONSONANTS = re.compile(rb"[b-df-hj-np-tv-xz]{7}|[B-DF-HJ-NP-TV-XZ]{7}")

_LONG_NAME = 10
# Pairs of letters that words of the languages that code is written in hardly hold.
_UNSPOKEN = re.compile(
    rb"j[bcdfghjklmnpqrtvwxyz]|q[b-hj-prtv-z]|v[bcdfghjkmnpqtwxz]|w[cgjmqvxz]|x[bdgjkmnqrvwz]|z[bcdfgjkmnpqrstvx]"
    rb"|[bcfghkmptvwxyz]q|[bcdfghjkmnpqstvwxz]x|[bcdfghjklmpqrsvwx]z|[bcfgkmpqtvwxz]j|[gjkqvwxz]v|[bfjkmqvxz]w",
    re.IGNORECASE,
)

UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
INTEGRITY = re.compile(rb"(?i:sha[0-9]{1,3}|md5|h1|blake[0-9a-z]{1,3})[-:=][A-Za-z0-9+/=:_-]{16,}")
HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?|[0-9]{8}T[0-9]{6}Z?")
_NUMBER = re.compile(rb"[0-9][0-9.,:_/-]*[a-zA-Z]{0,3}")
_PATH = re.compile(
    rb"(?:~|\.{1,2})?/(?:[a-z]{2,16}|[A-Z][a-z]{1,16})/|\.{1,2}/|~/|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]*://|arn:"
)


def is_placeholder(value: bytes) -> bool:
    """Whether it only stands for a secret: `your-key`, `xxxxx`, `<TOKEN>`, `AKIA...EXAMPLE`."""
    if _PLACEHOLDER_PARTS.search(value) is not None or value[:1] in b"$<{%":
        return True
    counts = Counter(value)
    if max(counts.values()) > _MOST_OF_ONE_CHARACTER * len(value):
        return True
    if len(counts) * 3 < min(len(value), _REPEATED):
        return True
    return any(word.decode().lower() in _PLACEHOLDER_NAMES for word in _WORDS.findall(value))


def is_real(value: bytes) -> bool:
    return not is_placeholder(value)


def is_named(value: bytes) -> bool:
    """Whether it reads as words: `access-token-v2`, `getUserName`, `com.example.app`, `path/to/file1`."""
    return all(_is_word(part) for part in _SPLIT.split(value))


def has_digit(value: bytes) -> bool:
    return _DIGIT.search(value) is not None


def is_letters(value: bytes) -> bool:
    """Whether it reads as words without a digit."""
    return not has_digit(value) and is_named(value)


def is_random(value: bytes) -> bool:
    """Whether it looks drawn at random: no words, no number, no placeholder, no reference."""
    return not (
        _NUMBER.fullmatch(value) is not None
        or is_named(value)
        or is_reference(value)
        or is_placeholder(value)
    ) and (entropy(value) >= _RANDOM_ENTROPY)


def is_reference(value: bytes) -> bool:
    """Whether its form says that it is not secret: a UUID, an integrity hash, a date, a path."""
    return (
        any(form.fullmatch(value) is not None for form in (UUID, INTEGRITY, _DATE))
        or _PATH.match(value) is not None
    )


def entropy(value: bytes) -> float:
    """Shannon entropy of the bytes, in bits a byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def words(name: bytes) -> list[str]:
    """A name's words in lower case: `apiKey`, `API_KEY`, `api-key` and `api.key` all give api, key."""
    return [word.decode().lower() for word in _HUMP.findall(name)]


def _is_word(part: bytes) -> bool:
    if not part or _LETTERS_THEN_DIGITS.fullmatch(part) is not None:
        return True
    if _CONSONANTS.search(part) is not None:
        return False
    if _LETTERS.fullmatch(part) is not None or (len(part) <= _SHORT_NAME and part.isalpha()):
        return True
    humps = _HUMP.findall(part)
    numbers = [hump for hump in humps if hump.isdigit()]
    if part.islower() or part.isupper():
        return len(numbers) <= 1 and len(part) <= _LONGEST_WORD_AROUND_A_NUMBER
    letters = [hump for hump in humps if not hump.isdigit()]
    return (
        not part[:1].isdigit()
        and not (numbers and len(part) >= _LONG_NAME and _UNSPOKEN.search(part) is not None)
        and len(part) >= _SHORTEST_AVERAGE_HUMP * len(humps)
        and len(numbers) <= 1
        and all(len(hump) <= _LONGEST_WORD for hump in humps)
        and sum(_VOWEL.search(hump) is None for hump in letters) <= max(1, len(letters) // 3)
    )


_ASCENDING = re.compile(rb"0123|1234|2345|3456|4567|5678|6789|89ab|9abc|abcd|bcde|cdef", re.IGNORECASE)
_MOST_ASCENDING = 1


def is_sequence(value: bytes) -> bool:
    """Whether it counts upwards (`0123abcd-4567-...`), as values made up for manuals do."""
    return len(_ASCENDING.findall(value)) > _MOST_ASCENDING
