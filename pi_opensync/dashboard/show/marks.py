"""What Markdown sets here beyond its core: headings below those of the page, tasks, math, addresses."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# A page has its title, its days and its messages as headings of the first three levels.
_ABOVE = 3
_LOWEST = 6
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_MATH = re.compile(r"\$\$([^$]{1,2000})\$\$|\$(?=[^\s$\d])([^$\n]{0,300}[^\s$\\])\$(?!\d)")
# An address in prose, not in markup; signs that end a sentence in Chinese and Japanese end it too.
_NOT_IN_IT = r"\s<>\"`\u2400-\u2426\u27e8\u3001\u3002\uff01\uff09\uff0c\uff1a\uff1b\uff1f\u300b-\u3011"
_ADDRESS = re.compile(rf"(?<![\w/@.=-])(?<!=[\"'])https?://[^{_NOT_IN_IT}]+", re.IGNORECASE)
_OPENERS = {")": "(", "]": "[", "}": "{"}
_MAX_ADDRESS = 2000


def install(parser: MarkdownIt) -> None:
    """Teach a parser all of it."""
    parser.core.ruler.push("headings", _headings)
    parser.core.ruler.push("tasks", _tasks)
    parser.core.ruler.push("addresses", _addresses)
    parser.inline.ruler.before("escape", "math", _math)
    parser.add_render_rule("task_box", _box)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)


def _headings(state: StateCore) -> None:
    """Let headings begin below a message's own and skip no level, whatever the text does."""
    above: list[str] = []
    for place, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        written = token.tag
        while above and above[-1] >= written:
            above.pop()
        above.append(written)
        tag = f"h{min(_ABOVE + len(above), _LOWEST)}"
        token.attrSet("class", f"as-{written[1:]}")
        token.tag = state.tokens[place + 2].tag = tag  # it opens, its words, it closes


def _tasks(state: StateCore) -> None:
    tokens = state.tokens
    for place in range(2, len(tokens)):
        inline, item = tokens[place], tokens[place - 2]
        if inline.type != "inline" or item.type != "list_item_open" or not inline.children:
            continue
        first = inline.children[0]
        match = _TASK.match(first.content) if first.type == "text" else None
        if match:
            first.content = first.content[match.end() :]
            box = Token("task_box", "", 0, content="" if match[1] == " " else "done")
            inline.children.insert(0, box)
            item.attrSet("class", "task")


def _addresses(state: StateCore) -> None:
    for block in state.tokens:
        if block.type != "inline" or not block.children or "://" not in block.content:
            continue
        pieces: list[Token] = []
        depth = 0
        for token in block.children:
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            pieces += _linked(token) if token.type == "text" and not depth else [token]
        block.children = pieces


def _linked(token: Token) -> list[Token]:
    """Cut a text where addresses stand in it, and make links of these."""
    pieces: list[Token] = []
    end = 0
    for match in _ADDRESS.finditer(token.content):
        address = _without_what_follows(match[0])
        if len(address) > _MAX_ADDRESS or address.endswith("//"):
            continue
        start = match.start()
        pieces += [
            Token("text", "", 0, content=token.content[end:start]),
            Token("link_open", "a", 1, attrs={"href": address}),
            Token("text", "", 0, content=address),
            Token("link_close", "a", -1),
        ]
        end = start + len(address)
    return [*pieces, Token("text", "", 0, content=token.content[end:])] if pieces else [token]


def _without_what_follows(address: str) -> str:
    """Leave out the signs that belong to the sentence, and a bracket that was opened before the address."""
    end = len(address)
    counts = {sign: address.count(sign) for pair in _OPENERS.items() for sign in pair}
    while end:
        last = address[end - 1]
        if last in _OPENERS and counts[last] > counts[_OPENERS[last]]:
            counts[last] -= 1
        elif last not in ".,;:!?'*_~":
            break
        end -= 1
    return address[:end]


def _math(state: StateInline, silent: bool) -> bool:
    match = _MATH.match(state.src, state.pos) if state.src[state.pos] == "$" else None
    if match is None or match.end() > state.posMax:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.markup = "$"
        token.content = (match[1] or match[2]).strip()
        token.attrSet("class", "math")
    state.pos = match.end()
    return True


def _box(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    sign, words = ("\u2611", "Done: ") if tokens[index].content else ("\u2610", "To do: ")
    return (
        f'<span class="box"><span aria-hidden="true">{sign}</span><span class="unseen">{words}</span></span>'
    )


def _table_open(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    # A wide one is scrolled, which keys must be able to do as well.
    del renderer, tokens, index, options, env
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, tokens, index, options, env
    return "</table></div>\n"
