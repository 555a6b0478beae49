"""`pi-opensync redact`: the rules, tried on a text."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.errors import PiOpensyncError, UsageError
from pi_opensync.files import at_home
from pi_opensync.privacy.redact import RULES_VERSION, OverBudget, Redactor
from pi_opensync.privacy.redact.table import rows

app = new_app()


@app.command("test", epilog="Example: pi-opensync redact test notes.txt")
def try_rules(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A text file; without one, stdin.", show_default=False),
    ] = None,
) -> None:
    """Count what would be redacted, by rule; no value is shown."""
    redactor = Context().redactor or Redactor()
    try:
        data = sys.stdin.buffer.read() if file is None else at_home(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} can not be read: {error.strerror}") from None
    found: Counter[str] = Counter()
    try:
        found.update(finding.rule for finding in redactor.scan(data.decode("utf-8", "replace"))[1])
    except OverBudget:
        raise PiOpensyncError("too costly to redact; a message of this text would be set aside") from None
    for rule, count in sorted(found.items()):
        print(f"{count:6}  {rule}")
    print(f"{sum(found.values()):6}  in all")


@app.command("rules", epilog="Example: pi-opensync redact rules")
def list_rules() -> None:
    """List the rules, each with an example and its source."""
    print(f"Rules, version {RULES_VERSION}")
    for row in rows():
        width = terminal.width()
        line = f"{row.name:28} {row.kind:18} {row.example:60} {row.source}"
        if width is None or len(line) <= width:
            print(line)
        else:
            print(f"{row.name}, {row.kind}\n  {row.example}\n  {row.source}")
