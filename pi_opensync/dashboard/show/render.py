"""Transcripts as HTML that can do no harm: Markdown without raw HTML, highlighted code, folded thinking.

Nothing of a transcript is trusted: no HTML passes, links lead to http, https and mailto only, images are not
loaded, and what would take too long to set is shown as it is.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from pi_opensync.dashboard.show import marks
from pi_opensync.dashboard.show.visible import visible

MAX_MARKDOWN = 60_000
_MAX_LINE = 4_000
_MAX_RUN = 200
_MAX_CODE = 15_000
_MAX_CODE_LINE = 1_000
_MAX_LEXING_S = 0.1
# What certainly fits into its place, also on a phone.
_SHORT = 600
_FEW_LINES = 18
_NARROW = 30
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
# Runs of the signs that Markdown looks ahead for; long ones are no writing, and slow.
_DENSE = re.compile(rf"[\[\]<>(){{}}!*_`~\\&|]{{{_MAX_RUN}}}")
# Lexers look at a run of blanks again from each of its places.
_BLANKS = re.compile(r"\s{100}")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")

_SIDES = ("left", "center", "right")

# A lexer is a program of regular expressions that runs over hostile text: only well-known ones are used.
_LEXERS = frozenset(
    [
        "bash",
        "sh",
        "shell",
        "zsh",
        "console",
        "powershell",
        "ps1",
        "bat",
        "c",
        "cpp",
        "c++",
        "csharp",
        "cs",
        "css",
        "scss",
        "less",
        "diff",
        "docker",
        "dockerfile",
        "elixir",
        "go",
        "golang",
        "graphql",
        "haskell",
        "hcl",
        "terraform",
        "html",
        "xml",
        "ini",
        "toml",
        "yaml",
        "yml",
        "java",
        "javascript",
        "js",
        "jsx",
        "json",
        "json5",
        "kotlin",
        "latex",
        "tex",
        "lua",
        "make",
        "makefile",
        "nginx",
        "objective-c",
        "perl",
        "php",
        "proto",
        "protobuf",
        "python",
        "py",
        "python3",
        "pycon",
        "r",
        "ruby",
        "rb",
        "rust",
        "rs",
        "scala",
        "sql",
        "swift",
        "typescript",
        "ts",
        "tsx",
        "vue",
        "zig",
        "nix",
    ]
)
_FORMATTER = HtmlFormatter(nowrap=True, classprefix="c-")


@dataclass(slots=True)
class _Budget:
    """Seconds that are left for the code on a page."""

    left: float


_of_this_page: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def one_page(seconds: float = 1.0) -> Iterator[None]:
    """Let all code that is highlighted in the block take `seconds` together; what is left stays plain."""
    before = _of_this_page.set(_Budget(seconds))
    try:
        yield
    finally:
        _of_this_page.reset(before)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of text, or of thinking."""

    text: str
    thinking: bool


def markdown(text: str) -> Markup:
    """Markdown as safe HTML; what is too large or too strange to set is shown as plain text."""
    shown = visible(text)
    if len(shown) > MAX_MARKDOWN or _DENSE.search(shown) or _has_long_line(shown, _MAX_LINE):
        return plain(text)
    try:
        return Markup(_parser().render(shown))  # noqa: S704 - made with raw HTML off
    except RecursionError:
        return plain(text)


def plain(text: str) -> Markup:
    """Return text as it is; keys can scroll what may be too long for its place."""
    scrolled = Markup(' tabindex="0"') if len(text) > _SHORT or text.count("\n") > _FEW_LINES else ""
    return Markup('<pre class="plain"{}>{}</pre>').format(scrolled, visible(text))


def code(text: str, language: str, clock: Callable[[], float] = time.perf_counter) -> Markup:
    """Return the inside of a code block.

    What a lexer has not read after a tenth of a second by `clock`, or when the page's budget is spent, stays
    plain: some take the square of the length.
    """
    shown = visible(text)
    lexer = _lexer(language.lower()) if language.lower() in _LEXERS else None
    if (
        lexer is None
        or len(shown) > _MAX_CODE
        or _BLANKS.search(shown)
        or _has_long_line(shown, _MAX_CODE_LINE)
    ):
        return escape(shown)
    budget = _of_this_page.get() or _Budget(_MAX_LEXING_S)
    if budget.left <= 0:
        return escape(shown)
    began = clock()
    deadline = began + min(_MAX_LEXING_S, budget.left)
    tokens = []
    end = 0
    for kind, value in lexer.get_tokens(shown):
        tokens.append((kind, value))
        end += len(value)
        if clock() > deadline:
            break
    budget.left -= clock() - began
    html = StringIO()
    _FORMATTER.format(tokens, html)
    # It ends the last line, also where the text does not.
    read = html.getvalue() if shown[:end].endswith("\n") else html.getvalue().removesuffix("\n")
    return Markup(read) + escape(shown[end:])  # noqa: S704 - the formatter escapes


def passages(text: str) -> list[Passage]:
    """Text cut at `<thinking>` and `</thinking>` lines; inside a fenced block they are just code."""
    found: list[Passage] = []
    lines: list[str] = []
    thinking = False
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and not thinking:
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        edge = line.strip()
        if not fence and edge == ("</thinking>" if thinking else "<thinking>"):
            _keep(found, lines, thinking=thinking)
            lines = []
            thinking = not thinking
        else:
            lines.append(line)
    if thinking:
        lines.insert(0, "<thinking>")
    _keep(found, lines, thinking=False)
    return found


def _has_long_line(text: str, limit: int) -> bool:
    return any(len(line) > limit for line in text.split("\n"))


def _keep(found: list[Passage], lines: list[str], *, thinking: bool) -> None:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        found.append(Passage(text, thinking))


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 12})
    parser.enable(["table", "strikethrough"])
    marks.install(parser)
    # The parser asks this before it makes a link; it leaves the others as the text that they are.
    parser.validateLink = _may_link  # type: ignore[method-assign]  # the documented way to restrict links
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("th_open", _cell)
    parser.add_render_rule("td_open", _cell)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    return parser


def _may_link(url: str) -> bool:
    return _LINK.match(url.strip()) is not None


def _link_open(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    return _anchor(tokens[index].attrGet("href"))


def _cell(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    # The parser aligns by an inline style, which the content security policy forbids.
    del renderer, options, env
    token = tokens[index]
    side = str(token.attrGet("style") or "").removeprefix("text-align:")
    return f'<{token.tag} class="{side}">' if side in _SIDES else f"<{token.tag}>"


def _anchor(url: Any) -> str:
    return str(Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">').format(url))


def _image(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    token = tokens[index]
    return f"{_anchor(token.attrGet('src'))}{escape(token.content or 'image')}</a>"


def _fence(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    token = tokens[index]
    language = (token.info.split() or [""])[0]
    return block(token.content.removesuffix("\n"), language)


def block(text: str, language: str = "") -> Markup:
    """Return a code block with its language above it; keys can scroll what may be too wide or too long."""
    label = Markup('<span class="lang">{}</span>').format(language[:30]) if language else ""
    is_large = text.count("\n") > _FEW_LINES or _has_long_line(text, _NARROW)
    scrolled = Markup(' tabindex="0"') if is_large else ""
    return Markup('<div class="code"><div class="head">{}</div><pre{}><code>{}</code></pre></div>').format(
        label, scrolled, code(text, language)
    )
