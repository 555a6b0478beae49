"""The pages name only what there is, and lead nowhere else."""

import ast
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer

from pi_opensync import errors
from pi_opensync.cli.app import app
from pi_opensync.dashboard.query import KINDS, NAMES, parse
from pi_opensync.settings import DESCRIBED
from tests.docs.pages import PAGES, ROOT, anchors, blocks, inline, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OURS = "https://github.com/pi-opensync/pi-opensync"
USER_PAGES = [page for page in PAGES if page.parent.name == "docs" or page.name == "README.md"]
IDS: Any = {"ids": lambda page: str(page.relative_to(ROOT))}


@pytest.mark.parametrize("page", PAGES, **IDS)
def test_links_lead_to_what_there_is(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(OURS + "/blob/main/"):
            assert (ROOT / target.removeprefix(OURS + "/blob/main/")).exists(), target
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("page", USER_PAGES, **IDS)
def test_commands_that_are_named_exist_with_their_options(page: Path) -> None:
    root = typer.main.get_command(app)
    typed = [line for block in blocks(page, "sh") for line in block.lines]
    typed += [line.strip() for line in prose(page).splitlines() if line.startswith("    ")]
    for text in [*typed, *inline(page)]:
        for words in re.findall(r"(?:^|[ |])pi-opensync ((?:[a-z-]+|--?[\w-]+)(?: [^|;`]+)?)", text):
            command: Any = root
            for word in words.split():
                inner = getattr(command, "commands", {})
                if word in inner:
                    command = inner[word]
                elif word.startswith("-"):
                    options = {
                        name for param in command.params for name in (*param.opts, *param.secondary_opts)
                    }
                    assert word.partition("=")[0] in {*options, "--help", "-h"}, f"{text}: {word}"
                else:
                    assert not inner, f"{text}: {word}"


@pytest.mark.parametrize("page", USER_PAGES, **IDS)
def test_settings_that_are_named_exist(page: Path) -> None:
    names = {name for about in DESCRIBED.values() for name in (about.variable, about.key)}
    for text in inline(page):
        for name in re.findall(r"\bPI_OPENSYNC_[A-Z_]+\b", text):
            assert name in {*names, "PI_OPENSYNC_CONFIG"}, name
    for name in re.findall(r"\[`(\w+)`\]\(settings\.md\)", prose(page)):
        assert name in names, name


def test_searches_are_understood_and_every_filter_is_named() -> None:
    page = ROOT / "docs/search.md"
    searches = re.findall(r"^\| `(.+?)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert searches
    for text in searches:
        query = parse(text, date(2026, 4, 1))
        assert query, text
        assert query.problems == (), text
    text = page.read_text(encoding="utf-8")
    assert all(f"{name}:" in text for name in NAMES)
    assert all(f"`is:{kind}`" in text for kind in KINDS)


def test_every_endpoint_is_named() -> None:
    files = (ROOT / "pi_opensync/dashboard/web").glob("*.py")
    routes = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(
        re.findall(
            r"^\| `(?:GET|POST) (/[\w/.]+)", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert named == set(re.findall(r"Route\(\s*\"(/(?:sync|api|health)[\w/.]*)\"", routes))


def test_every_key_is_named() -> None:
    drawn = (ROOT / "pi_opensync/dashboard/templates/base.html").read_text(encoding="utf-8")
    keys = {
        key for line in re.findall(r"<dt>(.*?)</dt>", drawn) for key in re.findall(r"<kbd>(.+?)</kbd>", line)
    }
    table = (ROOT / "docs/dashboard.md").read_text(encoding="utf-8").partition("## Keys")[2]
    assert {
        key
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for key in re.findall(r"`(.+?)`", row)
    } == keys


def test_every_exit_code_is_explained() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    for code in {kind.exit_code for kind in kinds}:
        assert f"\n| {code} | " in text, code


def test_every_line_of_doctor_is_explained() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    named: set[str] = set()
    for path in (ROOT / "pi_opensync/doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"ok", "warn", "fail"}
            ):
                named |= {str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    explained = set(
        re.findall(r"^\| ([\w' ]+?) \| ", text.partition("## What doctor looks at")[2], re.MULTILINE)
    )
    assert named == explained - {"line"}
