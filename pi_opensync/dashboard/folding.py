"""Text as it is compared: whatever way it was written, the same word is the same.

Lower case; without accents, and without the marks that Arabic and Hebrew leave out at will; full and half
width, composed and decomposed forms are one. Both sides of a search go through here.
"""

import re
import unicodedata

_REST = re.compile(r"[^\x00-\x7f]+")
# Accents, Hebrew and Arabic points, and what only shapes the sign before it.
_LOOSE = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]"
)
# Letters of their own, although they can be taken apart, and letters that can not, but are written without.
_KEPT = "йЙ"
_PLAIN = {
    "đ": "d",
    "Đ": "d",
    "ð": "d",
    "Ð": "d",
    "ø": "o",
    "Ø": "o",
    "ł": "l",
    "Ł": "l",
    "ı": "i",  # noqa: RUF001 - told apart here
    "ی": "ي",
    "ى": "ي",
    "ک": "ك",
    "〇": "零",  # noqa: RUF001 - told apart here
}

# Scripts that are written without spaces: each two neighbours are a word.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{UNSPACED}]+")
_PICTURE = re.compile("[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff]")
_PICTURE_MARK = "\ue000"  # of private use, so a letter to SQLite


def fold(text: str) -> str:
    """Return the text as it is compared."""
    if text.isascii():
        return text.lower()
    return _REST.sub(lambda run: unicodedata.normalize("NFKC", run[0]).translate(_FOLDS), text).lower()


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """Return the text as it is compared, and where each of its characters stood; one more for the end."""
    folded: list[str] = []
    places: list[int] = []
    for piece in _CLUSTER.finditer(text):
        became = fold(piece[0])
        folded.append(became)
        places += range(piece.start(), piece.end()) if piece[0].isascii() else [piece.start()] * len(became)
    return "".join(folded), [*places, len(text)]


# A stretch of ASCII, or a sign with the marks upon it.
_CLUSTER = re.compile("[\x00-\x7f]+|[\u1100-\u11ff]+|[^\x00-\x7f][\u0300-\u036f\u0591-\u05c7\u3099\u309a]*")


def spaced(folded: str) -> str:
    """Folded text with words where the index can see them: pairs of signs, and pictures."""
    if folded.isascii():
        return folded
    paired = _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} {run[0][-1]} ", folded)
    return _PICTURE.sub(lambda sign: f" {_picture(sign[0])} ", paired)


def words_of(folded: str) -> list[str]:
    """The words that the index has for what was folded, in order; one sign alone ends with `*`."""
    found: list[str] = []
    for piece in _PIECE.finditer(folded):
        word = piece[0]
        if _RUN.fullmatch(word):
            found += _pairs(word) if len(word) > 1 else [f"{word}*"]
        elif _PICTURE.fullmatch(word):
            found.append(_picture(word))
        else:
            found += _words(word)
    return found


def is_word(char: str) -> bool:
    """As SQLite is told to see it: letters, numbers, marks, and signs of private use."""
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc", "Co")


_PIECE = re.compile(f"[{UNSPACED}]+|{_PICTURE.pattern}|[^{UNSPACED}{_PICTURE.pattern[1:-1]}]+")


def _words(text: str) -> list[str]:
    return "".join(char if is_word(char) else " " for char in text).split()


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


def _picture(sign: str) -> str:
    return f"{_PICTURE_MARK}{ord(sign):x}"


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in _KEPT:
            folded = char.lower()
        elif char in _PLAIN:
            folded = _PLAIN[char]
        else:
            bare = _LOOSE.sub("", unicodedata.normalize("NFD", char))
            folded = unicodedata.normalize("NFC", bare).casefold()
        self[code] = folded
        return folded


_FOLDS = _Folds()
