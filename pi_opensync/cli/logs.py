"""`pi-opensync logs`, and `service logs`."""

from typing import Annotated

import typer

from pi_opensync.cli.options import new_app
from pi_opensync.cli.service import show_logs

app = new_app()


@app.command(epilog="Example: pi-opensync logs -f")
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines as they come.")] = False,
) -> None:
    show_logs(follow=follow)
