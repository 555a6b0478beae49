"""The pages of `--help`, and what is said of a command line that makes no sense: as wide as the terminal."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pi_opensync.errors import UsageError

INTERRUPTED = 130  # the exit code after Ctrl-C
WIDEST = 80
NARROW = 60  # columns below which the text beside a long name stands under it
_NAMES = 10  # signs beside which a text stands where it is narrow
_RANGE = re.compile(r"  \[(?:\d+<=)?x[<>]=\d+\]$|; (?:\d+<=)?x[<>]=\d+(?=\])")
_SAID_BY_LIBRARIES = {"Value error, ": "", "Input should be ": "it must be "}
_Wrong: type[Exception] = typer.BadParameter.__mro__[1]  # a command line of any fault; it has no name there
_Formatter: Any = TyperCommand.context_class.formatter_class  # nor has this

Rows = Sequence[tuple[str, str]]


class _Page(_Formatter):  # type: ignore[misc]  # has no type of its own
    """A page that fits a narrow terminal too, which the library's does not."""

    def __init__(self, **_attributes: Any) -> None:
        super().__init__(width=min(shutil.get_terminal_size().columns, WIDEST) - 2)

    def write_dl(self, rows: Rows, col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, _NAMES if self.width < NARROW else col_max, col_spacing)


class _Plain:
    """What commands and groups of them have: their pages in plain words."""

    def get_help(self, ctx: Any) -> str:
        page = _Page()
        self.format_help(ctx, page)  # type: ignore[attr-defined]
        return str(page.getvalue()).rstrip("\n")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [re.sub(r"^\{(.*)\}", r"\1", piece) for piece in super().collect_usage_pieces(ctx)]  # type: ignore[misc]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):  # type: ignore[attr-defined]
            record = param.get_help_record(ctx)
            if record is None:
                continue
            name, words = record
            if param.param_type_name == "argument":
                rows["Arguments"].append((param.metavar or param.name.upper(), _in_words(words)))
            else:
                rows["Options"].append((name, _in_words(words)))
        for title, filled in rows.items():
            if filled:
                with formatter.section(title):
                    formatter.write_dl(filled)


class PlainCommand(_Plain, TyperCommand):
    """A command."""


class PlainGroup(_Plain, TyperGroup):
    """Commands under one name. Raises `UsageError` for a command line that makes no sense."""

    def main(self, *arguments: Any, **extra: Any) -> None:
        try:
            code = super().main(*arguments, **extra | {"standalone_mode": False})
        except typer.Abort:
            raise UsageError("no answer was given", hint="`--help` shows which option gives it") from None
        except _Wrong as error:
            raise _told(error) from None
        if code == INTERRUPTED and sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has written ^C
        sys.stdout.flush()  # what can not be written is an error still
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, rows in self.headed(ctx).items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def headed(self, ctx: Any) -> Mapping[str, Rows]:
        """The commands with their summaries, under the heads that the page shows."""
        return {"Commands": list(self._summaries(ctx))}

    def _summaries(self, ctx: Any) -> Iterator[tuple[str, str]]:
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                yield name, command.help.partition("\n\n")[0]


def _in_words(text: str) -> str:
    """What stands beside a name, without a range as a formula."""
    return _RANGE.sub("", text).replace("[default: (", "[default: ").replace(")]", "]")


def _told(error: Any) -> UsageError:
    """A fault of the command line in one line, and where its options stand."""
    said = str(error.format_message()).rstrip(".")
    for theirs, ours in _SAID_BY_LIBRARIES.items():
        said = said.replace(theirs, ours)
    command = error.ctx.command_path if error.ctx is not None else "pi-opensync"
    return UsageError(said[:1].lower() + said[1:], hint=f"`{command} --help` shows what there is")
