"""How a message is drawn: tools with their results, thinking folded, nothing twice, long things cut."""

import base64
import json

import pytest

from pi_opensync.dashboard.show.calls import MAX_SHOWN
from tests.dashboard.conftest import Local


def call(name: str, **args: object) -> dict[str, object]:
    return {"type": "tool-call", "content": {"toolName": name, "args": args}}


def result(text: object) -> dict[str, object]:
    return {"type": "tool-result", "content": text}


def drawn(local: Local, **fields: object) -> str:
    local.message("s1", "a", **fields)
    return local.page(f"/sessions/{local.session('s1')}").split('id="messages"')[1]


def test_a_tool_is_folded_with_its_arguments_and_its_result(local: Local) -> None:
    page = drawn(local, parts=[call("bash", command="ls -l", timeout=5), result("total 0")])
    assert "<summary><b>bash</b> <span>ls -l</span></summary>" in page
    assert "<dt>timeout</dt><dd><code>5</code></dd>" in page
    assert '<p class="label">Result</p><pre class="plain">total 0</pre>' in page
    assert "<details open" not in page


def test_results_belong_to_their_calls(local: Local) -> None:
    page = drawn(
        local,
        parts=[
            call("one"),
            call("two"),
            result("of two"),
            call("three"),
            call("four"),
            result("of three"),
            result("of four"),
            result("of none"),
        ],
    )
    tools = [piece.split("</details>")[0] for piece in page.split('<details class="tool')[1:]]
    assert [
        "of " + name in tool for name, tool in zip(("one", "two", "three", "four"), tools, strict=False)
    ] == [
        False,
        True,
        True,
        True,
    ]
    assert "of none" in tools[4]


def test_a_failed_tool_is_seen_to_have_failed(local: Local) -> None:
    page = drawn(local, parts=[call("bash", command="x"), result("[error] exit 1")])
    assert '<details class="tool failed">' in page


def test_a_change_is_drawn_as_one(local: Local) -> None:
    page = drawn(local, parts=[call("edit", path="a.py", oldText="x = 1", newText="x = 2")])
    assert '<span class="line removed"><i class="sign">-</i>x = 1\n</span>' in page
    assert '<span class="line added"><i class="sign">+</i>x = 2\n</span>' in page
    assert '<span class="plus">+1</span> <span class="minus">\u22121</span></summary>' in page


@pytest.mark.parametrize(
    ("before", "after"), [("oldText", "newText"), ("old_string", "new_string"), ("old", "new")]
)
def test_several_changes_are_drawn_as_one(local: Local, before: str, after: str) -> None:
    edits = [{before: "x = 1", after: "x = 2"}, {before: "y = 1", after: "y = 2"}]
    page = drawn(local, parts=[call("edit", path="a.py", edits=edits)])
    for kind in ("removed", "added"):
        assert page.count(f'<span class="line {kind}">') == 2
    assert '<i class="sign">+</i>y = 2' in page
    assert '<span class="plus">+2</span> <span class="minus">\u22122</span></summary>' in page


def test_changes_that_say_more_are_drawn_whole(local: Local) -> None:
    edits = [{"old_string": "x", "new_string": "y", "replace_all": True}]
    assert "replace_all" in drawn(local, parts=[call("edit", path="a.py", edits=edits)])


def test_thinking_is_folded(local: Local) -> None:
    page = drawn(local, parts=[{"type": "text", "content": "<thinking>\n**hm**\n</thinking>\nHello"}])
    assert (
        '<details class="thinking"><summary>Thinking</summary><div class="text"><p><strong>hm</strong>'
        in page
    )
    assert "<p>Hello</p>" in page


def test_thinking_sent_twice_is_drawn_once(local: Local) -> None:
    parts = [
        {"type": "text", "content": "<thinking>\nhm\n</thinking>\n\nHi"},
        {"type": "thinking", "content": "hm"},
    ]
    assert drawn(local, parts=parts, textContent="<thinking>\nhm\n</thinking>\n\nHi").count("hm") == 1


def test_text_without_a_text_part_is_drawn_before_the_tools(local: Local) -> None:
    page = drawn(local, textContent="I look.", parts=[call("read", path="a.py"), result("secret")])
    assert page.index("I look.") < page.index("secret")


def test_text_that_only_tells_of_the_tool_is_not_drawn_again(local: Local) -> None:
    page = drawn(
        local,
        role="tool",
        textContent="$ make test\nall good",
        parts=[call("bash", command="make test"), result("all good")],
    )
    assert page.count("all good") == 1


def test_text_alone_is_drawn(local: Local) -> None:
    assert "<p>Only text</p>" in drawn(local, textContent="Only text", parts=[])


@pytest.mark.parametrize(
    "content",
    [
        "words here",
        {"text": "words here"},
        {"content": "words here"},
        [{"type": "text", "text": "words here"}],
    ],
)
@pytest.mark.parametrize("kind", ["text", "tool-result", "reasoning", "file"])
def test_content_of_every_shape_is_drawn(local: Local, kind: str, content: object) -> None:
    assert "words here" in drawn(local, parts=[{"type": kind, "content": content}])


@pytest.mark.parametrize(
    "content",
    [
        {"toolName": "grep", "args": {"pattern": "needle"}},
        {"name": "grep", "input": {"pattern": "needle"}},
        {"name": "grep", "arguments": '{"pattern": "needle"}'},
        {"tool": "grep", "params": {"pattern": "needle"}},
        {"name": "grep", "pattern": "needle"},
        {"name": "grep", "args": "needle"},
        {"name": "grep", "args": ["needle"]},
        '{"tool": "grep", "pattern": "needle"}',
        'grep: {"pattern": "needle"}',
        "grep: needle",
    ],
)
@pytest.mark.parametrize("kind", ["tool-call", "tool_use", "function_call"])
def test_calls_of_every_shape_are_drawn_and_found(local: Local, kind: str, content: object) -> None:
    page = drawn(local, parts=[{"type": kind, "content": content}])
    assert "<b>grep</b>" in page
    assert "needle" in page
    assert len(local.get("/api/search?q=needle")["results"]) == 1


@pytest.mark.parametrize("key", ["result", "output"])
def test_a_result_sent_with_its_call_is_drawn_with_it(local: Local, key: str) -> None:
    content = {"toolName": "bash", "args": {"command": "make"}, key: "all good"}
    page = drawn(local, parts=[{"type": "tool_use", "content": content}])
    assert page.index("make") < page.index("all good")
    assert page.count("all good") == 1
    assert local.get("/api/search?q=good")["results"]


def test_a_long_result_sent_with_its_call_can_be_read_whole(local: Local) -> None:
    text = "line of output\n" * 10_000
    content = {"toolName": "bash", "args": {"command": "x"}, "result": text}
    page = drawn(local, parts=[{"type": "tool_use", "content": content}])
    (address,) = (piece.split('"')[0] for piece in page.split('class="rest"><a href="')[1:])
    assert local.page(address) == '{"command":"x"}\n\n' + text


@pytest.mark.parametrize(
    "content", [None, 5, True, [], {}, "", {"toolName": 5, "args": None}, {"text": None}, [[["x"]]]]
)
@pytest.mark.parametrize("kind", ["text", "tool-call", "tool-result", "thinking", "<script>"])
def test_content_that_makes_no_sense_stops_nothing(local: Local, kind: str, content: object) -> None:
    page = drawn(local, parts=[{"type": kind, "content": content}])
    assert "<script>" not in page


@pytest.mark.parametrize("depth", [60, 100, 500, 900, 5000])
@pytest.mark.parametrize(
    "held",
    [
        '{"name": "x", "args": NESTED}',
        '{"name": "x", "args": {}, "result": NESTED}',
        'x: {"a": NESTED}',
        {"name": "x", "arguments": '{"a": NESTED}'},
        {"name": "x", "arguments": "{}", "result": "NESTED"},
    ],
)
def test_json_in_a_string_that_is_nested_deeply_stops_nothing(
    local: Local, held: str | dict[str, str], depth: int
) -> None:
    content = json.loads(json.dumps(held).replace("NESTED", "[" * depth + "1" + "]" * depth))
    message_id = local.message(
        "s1", "a", textContent="needle", parts=[{"type": "tool_use", "content": content}]
    )
    session_id = local.session("s1")
    for kind in ("markdown", "json"):
        local.page(f"/sessions/{session_id}/export/{kind}")
    assert "needle" in local.page(f"/sessions/{session_id}")
    assert "1" in local.page(f"/sessions/{session_id}/messages/{message_id}/parts/0")
    assert len(local.get("/api/search?q=needle")["results"]) == 1


def test_a_long_result_is_cut_and_can_be_read_whole(local: Local) -> None:
    text = "line of output\n" * 10_000
    page = drawn(local, parts=[call("bash", command="x"), result(text)])
    assert len(page) < MAX_SHOWN * 2
    address = page.split('class="rest"><a href="')[1].split('"')[0]
    assert address.endswith("/parts/1")
    answer = local.ask("GET", address, headers={"cookie": local.cookie})
    assert (answer.text, answer.headers["content-type"]) == (text, "text/plain; charset=utf-8")


def test_a_long_text_and_long_arguments_can_be_read_whole(local: Local) -> None:
    page = drawn(
        local, textContent="word " * 20_000, parts=[call("write", path="a.py", content="x = 1\n" * 5_000)]
    )
    rests = [piece.split('"')[0] for piece in page.split('class="rest"><a href="')[1:]]
    assert [rest.rpartition("/")[2] for rest in rests] == ["text", "0"]
    assert local.page(rests[0]) == "word " * 20_000
    assert "x = 1" in local.page(rests[1])


@pytest.mark.parametrize("place", ["1", "-1", "99999999", "x", "%2e%2e", "0x0"])
def test_a_part_that_is_not_there_is_not_found(local: Local, place: str) -> None:
    message_id = local.message("s1", "a", parts=[result("x")])
    local.page(f"/sessions/{local.session('s1')}/messages/{message_id}/parts/{place}", status=404)


def test_a_message_is_found_under_its_own_session_only(local: Local) -> None:
    message_id = local.message("s1", "a", parts=[result("x")])
    local.page(f"/sessions/{local.session('s2')}/messages/{message_id}/parts/0", status=404)


def test_the_change_that_pi_noted_is_drawn_with_its_line_numbers(local: Local) -> None:
    noted = " 9 class A:\n-10 def f():\n+10 def f(x):\n+11     y\n 11     return\n    ..."
    parts = [
        call("edit", path="a.py", edits=[{"oldText": "def f():", "newText": "def f(x):\n    y"}]),
        result({"text": "Edited a.py", "details": {"diff": noted}}),
    ]
    page = drawn(local, parts=parts)
    assert '<span class="line removed"><i>10</i><i class="sign">-</i>def f():' in page
    assert '<span class="line added"><i>11</i><i class="sign">+</i>    y' in page
    assert '<span class="plus">+2</span> <span class="minus">\u22121</span></summary>' in page
    assert page.count("def f():") == 1, "it is not drawn from the arguments as well"


def test_how_long_a_tool_ran_stands_beside_it(local: Local) -> None:
    page = drawn(local, parts=[call("bash", command="make"), result({"text": "ok", "durationMs": 4200})])
    assert "<small>4.2 s</small></summary>" in page


def test_a_newline_at_the_end_is_no_line_of_a_change(local: Local) -> None:
    page = drawn(local, parts=[call("edit", path="a.py", oldText="a\nb\n", newText="a\nc\n")])
    assert page.count('class="line ') == 3
    assert '<i class="sign"> </i>a\n' in page


@pytest.mark.parametrize(
    ("last", "said"), [("[error: 529 overloaded]", "error: 529 overloaded"), ("[aborted]", "aborted")]
)
def test_a_turn_that_failed_is_seen_to_have_failed(local: Local, last: str, said: str) -> None:
    page = drawn(local, textContent=f"I tried.\n{last}")
    assert f'<p class="ended">{said}</p>' in page
    assert last not in page
    local.message("s1", "b", role="user", textContent=f"What is\n{last}")
    assert last in local.page(f"/sessions/{local.session('s1')}"), "what a person writes is no end of a turn"


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 50).decode()


@pytest.mark.parametrize(
    "content",
    [
        {"data": PNG, "mimeType": "image/svg+xml"},
        {"source": {"type": "base64", "data": PNG}},
        {"image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ],
)
def test_an_image_is_a_thumbnail_from_this_server(local: Local, content: object) -> None:
    page = drawn(local, parts=[{"type": "image", "content": content}])
    address = page.split('<img src="')[1].split('"')[0]
    assert address.startswith("/sessions/")
    answer = local.ask("GET", address, headers={"cookie": local.cookie})
    assert (answer.headers["content-type"], answer.content[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    "data", [base64.b64encode(b"<svg onload=alert(1)>").decode(), "https://evil.example/x.png", "%", "", None]
)
def test_what_is_no_image_is_not_shown_as_one(local: Local, data: object) -> None:
    message_id = local.message("s1", "a", parts=[{"type": "image", "content": {"data": data}}])
    session_id = local.session("s1")
    assert "<img" not in local.page(f"/sessions/{session_id}")
    local.page(f"/sessions/{session_id}/messages/{message_id}/parts/0/image", status=404)


def test_an_image_is_no_word_of_a_search(local: Local) -> None:
    parts = [{"type": "text", "content": "look"}, {"type": "image", "content": {"data": PNG}}]
    page = drawn(local, parts=parts)
    assert page.count("<img") == 1
    assert local.get(f"/api/search?q={PNG[:20]}")["results"] == []
    assert local.get("/api/search?q=look")["results"]
    assert PNG not in local.page(f"/sessions/{local.session('s1')}/export/markdown")
