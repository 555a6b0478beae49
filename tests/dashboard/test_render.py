"""What transcripts become: HTML that says what was written and does nothing."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi_opensync.dashboard.show.render import Passage, block, code, markdown, one_page, passages
from pi_opensync.dashboard.show.visible import visible

_TAGS = frozenset(
    [
        "p",
        "br",
        "hr",
        "a",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "div",
        "span",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "h4",
        "h5",
        "h6",
    ]
)
_ATTRIBUTES = {
    "a": {"href", "target", "rel"},
    "div": {"class", "tabindex"},
    "span": {"class", "aria-hidden"},
    "pre": {"class", "tabindex"},
    "li": {"class"},
    **{name: {"class"} for name in ("h4", "h5", "h6", "code")},
    "ol": {"start"},
    "th": {"class"},
    "td": {"class"},
}


class Checker(HTMLParser):
    """Fail on any tag, attribute or link that render.py has no reason to write."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES.get(tag, ()), (tag, name)
            if name == "href":
                self.links.append(value or "")

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def checked(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert all(link.lower().startswith(("http://", "https://", "mailto:")) for link in checker.links)
    return checker.links


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</pre></code></div></main><script>alert(1)</script>",
    "<!-- --><style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](/logout)",
    "[x](//evil.example)",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '[x](https://evil.example/"onmouseover="alert(1))',
    "<https://evil.example/<script>>",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\nx\n```',
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "| a |\n|:-:|\n| <b onclick=x> |",
    "&lt;script&gt; &#60;script&#62;",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "\u202e<script>\u2066",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_gets_through(text: str) -> None:
    checked(markdown(text))
    checked(block(text, text))


@given(
    st.text(
        alphabet=st.sampled_from("<>&\"'`*_[]()!#|-:;\\/\n abjs=1\0\u202e") | st.characters(), max_size=200
    )
)
@settings(max_examples=300)
def test_no_text_gets_a_tag_through(text: str) -> None:
    checked(markdown(text))
    checked(block(text, "python"))


@given(st.lists(st.sampled_from(HOSTILE), max_size=6).map(" ".join))
@settings(max_examples=100)
def test_no_mixture_gets_a_tag_through(text: str) -> None:
    checked(markdown(text))


def test_markdown_is_set() -> None:
    html = markdown("# Head\n\n**bold** *soft* ~~gone~~ `code`\n\n- one\n- two\n\n> said\n\na\nb")
    for expected in (
        '<h4 class="as-1">Head</h4>',
        "<strong>",
        "<em>",
        "<s>",
        "<code>code</code>",
        "<li>one</li>",
        "<blockquote>",
    ):
        assert expected in html
    assert "a<br />\nb" in html


def test_columns_keep_their_alignment_without_inline_style() -> None:
    html = markdown("| a | b | c |\n|--:|:-:|---|\n| 1 | 2 | 3 |")
    assert '<th class="right">a</th>\n<th class="center">b</th>\n<th>c</th>' in html
    assert "style" not in html


def test_links_open_elsewhere_and_tell_nothing() -> None:
    html = markdown("[docs](https://example.org/a?b=1&c=2)")
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert 'target="_blank" rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("See https://example.org/a_b_c?x=1&y=2.", ["https://example.org/a_b_c?x=1&y=2"]),
        ("(http://example.org/x_(y)), then", ["http://example.org/x_(y)"]),
        ("**https://a.example** or [https://b.example/]", ["https://a.example", "https://b.example/"]),
        ("\u53c2\u7167 https://example.org/x\u3002\u6b21", ["https://example.org/x"]),
        ("[here](https://example.org) <https://c.example>", ["https://example.org", "https://c.example"]),
        ("`https://example.org` and\n\n```\nhttps://example.org\n```", []),
        ('<img src="https://a.example"> <img src=https://b.example>', []),
        ("https:// nothttps://example.org ftp://example.org example.org javascript://x", []),
        ("https://example.org/\u202ex", ["https://example.org/"]),
        ("https://example.org/" + ")" * 50, ["https://example.org/"]),
    ],
)
def test_an_address_in_prose_is_a_link_and_one_in_code_is_not(text: str, addresses: list[str]) -> None:
    assert checked(str(markdown(text))) == addresses


def test_an_image_is_a_link_and_is_not_loaded() -> None:
    html = markdown("![a cat](https://example.org/cat.png)")
    assert "<img" not in html
    assert checked(html) == ["https://example.org/cat.png"]


def test_code_is_highlighted_by_its_language() -> None:
    html = markdown('```python\ndef f():\n    return "<b>"\n```')
    assert '<span class="lang">python</span>' in html
    assert '<span class="c-k">def</span>' in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("language", ["", "nosuchlanguage", "rawtoken", "../../etc", "python\0"])
def test_an_unknown_language_is_plain(language: str) -> None:
    assert code("x = 1 < 2", language) == "x = 1 &lt; 2"


def test_control_and_direction_characters_are_seen() -> None:
    assert visible("a\0b\x1b[31m\x7f\r\nc\td\u202ee\x85") == "a␀b␛[31m␡\nc\td⟨U+202E⟩e⟨U+0085⟩"
    assert "\x1b" not in markdown("\x1b[31mred")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "> " * 30_000,
        "*a _b " * 10_000,
        "- a\n" * 15_000,
        "`" * 60_000,
        "|a" * 30_000,
        "<a " * 20_000,
        "a" * 10**6,
        "[a\n" * 20_000,
        "![" * 30_000,
        "\\" * 60_000,
        "&" * 60_000,
        "".join("  " * i + "- a\n" for i in range(200)),
    ],
    ids=lambda text: text[:6],
)
def test_nothing_takes_long_to_set(text: str) -> None:
    start = time.process_time()
    checked(markdown(text))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "language", ["python", "javascript", "c++", "html", "bash", "yaml", "perl", "ruby", "sql", "cs"]
)
@pytest.mark.parametrize(
    "piece", ["(", "\"'", "{[", "<a ", "\\", "/*", "a:", "#{", "0x", "$(", "``", "-- ", "\t \n", "a\n"]
)
def test_nothing_takes_long_to_highlight(language: str, piece: str) -> None:
    lines = "\n".join([piece * (900 // len(piece))] * 20)
    start = time.process_time()
    checked(block(lines, language))
    assert time.process_time() - start < 2


def test_a_lexer_that_takes_long_is_left_and_nothing_is_lost() -> None:
    ticks = iter([0.0, *[0.01] * 4, *[9.0] * 100])
    html = code("def f(): return 1 < 2 and g() < h()", "python", clock=lambda: next(ticks))
    assert '<span class="c-k">def</span>' in html
    assert re.sub(r"<.*?>", "", html) == "def f(): return 1 &lt; 2 and g() &lt; h()"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [("plain", False)]),
        ("<thinking>\nhm\n</thinking>\nanswer", [("hm", True), ("answer", False)]),
        (
            "a\n<thinking>\nb\n</thinking>\nc\n<thinking>\nd\n</thinking>",
            [("a", False), ("b", True), ("c", False), ("d", True)],
        ),
        ("```\n<thinking>\nx\n</thinking>\n```", [("```\n<thinking>\nx\n</thinking>\n```", False)]),
        ("<thinking>\nnever ends", [("<thinking>\nnever ends", False)]),
        ("a <thinking> b", [("a <thinking> b", False)]),
        ("<thinking>\n\n</thinking>", []),
        ("", []),
    ],
)
def test_thinking_is_told_from_what_was_said(text: str, expected: list[tuple[str, bool]]) -> None:
    assert passages(text) == [Passage(*passage) for passage in expected]


def test_the_code_of_one_page_shares_one_budget() -> None:
    seconds = iter(range(1_000_000))

    def clock() -> float:
        return next(seconds) / 1000

    text = "x = 1\n" * 20
    with one_page(0.15):
        drawn = [code(text, "python", clock) for _ in range(30)]
    highlighted = ["<span" in each for each in drawn]
    assert highlighted[0]
    assert not highlighted[-1]
    assert highlighted == sorted(highlighted, reverse=True)
    assert all(str(each).count("\n") == 20 for each in drawn)
    assert "<span" in code(text, "python", clock)


def test_tasks_are_boxes() -> None:
    html = markdown("- [x] one\n- [ ] two\n- [y] three")
    assert html.count('<li class="task">') == 2
    assert "Done: </span></span>one" in html
    assert "To do: </span></span>two" in html
    assert "[y] three" in html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so $x^2_i$ is", '<code class="math">x^2_i</code>'),
        ("$$\na * b * c\n$$", '<code class="math">a * b * c</code>'),
        ("it costs $5 or $6", "it costs $5 or $6"),
        ("$HOME and $PATH", "$HOME and $PATH"),
        ("`$x$`", "<code>$x$</code>"),
    ],
)
def test_math_is_code_and_money_is_not(text: str, expected: str) -> None:
    assert expected in markdown(text)


def test_headings_skip_no_level_and_stand_below_those_of_the_page() -> None:
    html = markdown("### a\n\n# b\n\n###### c\n\n## d\n\n# e")
    assert re.findall(r"<(h\d) class", html) == ["h4", "h4", "h5", "h5", "h4"]
