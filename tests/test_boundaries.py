"""What import-linter can not see: whose words a module speaks."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pi_opensync"
CONTRACTS = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
WORD = re.compile(r"[A-Za-z_][A-Za-z_-]*[A-Za-z]")

PI = frozenset(
    {
        "bashExecution",
        "branch_summary",
        "cacheRead",
        "cacheWrite",
        "context_edit",
        "custom_message",
        "customType",
        "excludeFromContext",
        "hookMessage",
        "model_change",
        "parentSession",
        "responseModel",
        "session_info",
        "stopReason",
        "thinking_level_change",
        "tokensBefore",
        "toolCall",
        "toolCallId",
        "toolResult",
    }
)
WIRE = frozenset(
    {
        "completionTokens",
        "createdAt",
        "externalId",
        "messageId",
        "projectName",
        "projectPath",
        "promptTokens",
        "sessionExternalId",
        "sessionIds",
        "textContent",
    }
)
BOTH = frozenset({"durationMs"})  # pi writes it too, with a tool's result
SPOKEN_IN = {
    "pi": (PI, ("pi/",)),
    "wire": (WIRE, ("opensync/", "dashboard/")),
    "both": (BOTH, ("pi/", "opensync/", "dashboard/")),
}


def strings(tree: ast.Module) -> Iterator[str]:
    """Every string of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def spoken(words: frozenset[str], homes: tuple[str, ...]) -> set[str]:
    """`file: word` for each of the words that stands outside its homes."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(homes):
            continue
        for text in strings(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {f"{name}: {word}" for word in words.intersection(WORD.findall(text))}
    return found


@pytest.mark.parametrize("language", SPOKEN_IN)
def test_the_words_of_either_end_stay_with_the_code_that_speaks_to_it(language: str) -> None:
    assert spoken(*SPOKEN_IN[language]) == set()


def test_sqlite_stands_only_in_the_one_layer_and_in_what_holds_sql() -> None:
    speakers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(import|from) (apsw|sqlite3)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert speakers == {"sqlite.py", "journal.py", "upgrades.py"}


def test_no_contract_has_an_exception() -> None:
    assert not [contract["id"] for contract in CONTRACTS if contract.get("ignore_imports")]


def test_a_word_is_found_in_code_and_not_in_docstrings() -> None:
    tree = ast.parse(
        '"""toolCallId of a module"""\ndef f(x):\n    """toolCallId"""\n    return x["stopReason"]\n'
    )
    assert list(strings(tree)) == ["stopReason"]


def test_no_two_files_and_no_two_classes_have_one_name() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    classes = [
        node.name
        for path in files
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [name for name, count in Counter(path.name for path in files).items() if count > 1] == []
    assert [name for name, count in Counter(classes).items() if count > 1] == []
