"""The texts that users read, cut into what they are told to type and to follow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob(".github/*.md")]
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WITH_OUTPUT = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `output` is the `text` block that follows right behind it: what it prints."""

    page: Path
    language: str
    text: str
    output: str | None = None

    @property
    def lines(self) -> list[str]:
        """The commands, without comments; a line that ends with a backslash goes on."""
        joined = self.text.replace("\\\n", " ")
        return [line for raw in joined.splitlines() if (line := raw.partition("  #")[0].strip())]


def blocks(page: Path, language: str) -> list[Block]:
    found = _WITH_OUTPUT.findall(page.read_text(encoding="utf-8"))
    return [Block(page, name, text, output or None) for name, text, output in found if name == language]


def prose(page: Path) -> str:
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def inline(page: Path) -> Iterator[str]:
    """What stands between backticks in the text."""
    for line in prose(page).splitlines():
        yield from (found.replace("\\|", "|") for found in _INLINE.findall(line))


def anchors(page: Path) -> set[str]:
    """What `#...` may lead to in a page."""
    heads = (re.sub(r"[^\w\s-]", "", head.lower()) for head in _HEADING.findall(prose(page)))
    return {re.sub(r"\s", "-", head.strip()) for head in heads}
