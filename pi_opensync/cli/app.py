"""The commands and their options; each body is imported when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pi_opensync import __version__
from pi_opensync.cli import PORT
from pi_opensync.cli.app_service import register

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing it takes longer than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps an OpenSync dashboard equal to the sessions that the pi coding agent writes.",
)

LogFormat = Annotated[
    Literal["auto", "text", "json"],
    typer.Option(help="Log lines for people or as JSON; auto looks at the terminal."),
]
Debug = Annotated[
    bool | None, typer.Option("--debug", help="More log lines; never content or keys.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"pi-opensync {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


@app.command(epilog="Example: pi-opensync login --url https://happy-otter-123.convex.cloud")
def login(
    url: Annotated[
        str | None, typer.Option(help="Your deployment, as OpenSync's settings page shows it.")
    ] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key (osk_...) from stdin.")
    ] = False,
    from_plugin: Annotated[
        bool, typer.Option("--from-plugin", help="Take URL and key from pi-opensync-plugin's configuration.")
    ] = False,
) -> None:
    """Store the URL and the key of your OpenSync, after checking both."""
    from pi_opensync.cli.login import login as run

    run(url=url, key_stdin=key_stdin, from_plugin=from_plugin)


@app.command(epilog="Example: pi-opensync logout")
def logout() -> None:
    """Forget the URL and the key."""
    from pi_opensync.cli.login import logout as run

    run()


@app.command(epilog="Example: pi-opensync watch --backfill")
def watch(
    backfill: Annotated[
        bool, typer.Option("--backfill", help="Take up every session, not only those that change.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Read and deliver what there is, then exit.")] = False,
    local: Annotated[
        bool,
        typer.Option("--local", help="Keep an OpenSync of your own, on this machine; nothing leaves it."),
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where --local serves its pages; 0: any.")
    ] = PORT,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page of --local.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="With --local: three sample sessions, not pi's.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link/--no-link", help="Print a link that lets a browser into --local.")
    ] = True,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    """Follow pi's sessions and keep the dashboard equal to them, until Ctrl-C."""
    if local or demo:
        from pi_opensync.cli.local import watch_local

        watch_local(port=port, open_page=open_page, demo=demo, link=link, log_format=log_format, debug=debug)
        return
    from pi_opensync.cli.watch import run

    run(backfill=backfill, once=once, log_format=log_format, debug=debug)


@app.command(epilog="Example: pi-opensync serve --open")
def serve(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Where to serve; 0: any free port.", show_default=str(PORT)),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; anything but this machine needs --remote.")
    ] = "127.0.0.1",
    remote: Annotated[bool, typer.Option("--remote", help="Let other machines in.")] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="Another name to answer to, as a proxy's. May be repeated.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make another key for a plugin, and show it.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Serve three sample sessions.")] = False,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    """Run the OpenSync of your own alone: pages, and the API for every OpenSync plugin."""
    from pi_opensync.cli.local import serve_alone, watch_local

    if demo:
        watch_local(port=port, open_page=open_page, demo=True, log_format=log_format, debug=debug)
        return
    serve_alone(
        host=host,
        port=port,
        remote=remote,
        names=name or (),
        open_page=open_page,
        new_key=new_key,
        log_format=log_format,
        debug=debug,
    )


@app.command(epilog="Example: pi-opensync sync --since 30d --project ~/src/webapp --dry-run")
def sync(
    since: Annotated[
        str | None, typer.Option(help="Sessions active since then: 30d, 12h, or a date.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Sessions begun before then.")] = None,
    project: Annotated[Path | None, typer.Option(help="Sessions of this project folder and below.")] = None,
    session: Annotated[
        str | None, typer.Option(help="One session: its id, the beginning of it, or its file.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many sessions, the newest first.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    """Send the sessions that are there: all, or those that the options choose."""
    from pi_opensync.cli.sync import run
    from pi_opensync.read.select import Wanted

    wanted = Wanted.parse(since=since, until=until, project=project, session=session, limit=limit)
    run(wanted, dry_run=dry_run, yes=yes, log_format=log_format, debug=debug)


@app.command("list", epilog="Example: pi-opensync list --unsynced")
def list_sessions(
    unsynced: Annotated[bool, typer.Option("--unsynced", help="Only what is not on the dashboard.")] = False,
    excluded: Annotated[bool, typer.Option("--excluded", help="Only what you excluded.")] = False,
    parked: Annotated[bool, typer.Option("--parked", help="Only what OpenSync refused.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the sessions: what was sent, what waits, and why not."""
    from pi_opensync.cli.list import run

    run(unsynced=unsynced, excluded=excluded, parked=parked, as_json=as_json)


@app.command(epilog="Example: pi-opensync verify --repair")
def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Send what is missing or different.")] = False,
    session: Annotated[str | None, typer.Option(help="One session, by the beginning of its id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read the dashboard back and compare it with the transcripts."""
    from pi_opensync.cli.verify import run

    run(repair=repair, session=session, as_json=as_json)


@app.command(epilog="Example: pi-opensync preview 5f0c2a3e")
def preview(
    wanted: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="A session's id, its beginning, or a file.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show exactly what would be sent, what is redacted, and what is left out."""
    from pi_opensync.cli.preview import run

    run(wanted, as_json=as_json)


@app.command(epilog="Example: pi-opensync pause --for 2h")
def pause(
    span: Annotated[str | None, typer.Option("--for", help="For how long, such as 30m, 2h or 3d.")] = None,
) -> None:
    """Send nothing for a while, or until `resume`; also across restarts."""
    from pi_opensync.cli.privacy import pause as run

    run(span)


@app.command(epilog="Example: pi-opensync resume")
def resume() -> None:
    """End a pause."""
    from pi_opensync.cli.privacy import resume as run

    run()


redact = typer.Typer(no_args_is_help=True, help="What is taken out before anything is kept or sent.")
app.add_typer(redact, name="redact")


@redact.command("test", epilog="Example: pi-opensync redact test notes.txt")
def redact_test(
    file: Annotated[
        Path | None, typer.Argument(help="A file; without one, stdin.", show_default=False)
    ] = None,
) -> None:
    """Count what would be redacted, by rule; no value is shown."""
    from pi_opensync.cli.privacy import redact_test as run

    run(file)


@redact.command("rules", epilog="Example: pi-opensync redact rules")
def redact_rules() -> None:
    """List the rules and where their forms are documented."""
    from pi_opensync.cli.privacy import redact_rules as run

    run()


exclude = typer.Typer(no_args_is_help=True, help="Projects that stay on this machine.")
app.add_typer(exclude, name="exclude")
Pattern = Annotated[str, typer.Argument(metavar="PATTERN", help="A folder, or a glob as in a .gitignore.")]


@exclude.command("add", epilog="Example: pi-opensync exclude add '~/work/client'")
def exclude_add(pattern: Pattern) -> None:
    """Exclude projects; what waits of them is taken back."""
    from pi_opensync.cli.privacy import exclude_add as run

    run(pattern)


@exclude.command("remove", epilog="Example: pi-opensync exclude remove '~/work/client'")
def exclude_remove(pattern: Pattern) -> None:
    """Exclude projects no longer."""
    from pi_opensync.cli.privacy import exclude_remove as run

    run(pattern)


@exclude.command("list", epilog="Example: pi-opensync exclude list")
def exclude_list() -> None:
    """Show the patterns of include and exclude."""
    from pi_opensync.cli.privacy import exclude_list as run

    run()


@exclude.command("test", epilog="Example: pi-opensync exclude test ~/work/client/api")
def exclude_test(path: Path) -> None:
    """Say whether the sessions of a project folder are sent."""
    from pi_opensync.cli.privacy import exclude_test as run

    run(path)


queue = typer.Typer(no_args_is_help=True, help="Messages and sessions that OpenSync refused.")
app.add_typer(queue, name="queue")


@queue.command("list", epilog="Example: pi-opensync queue list --json")
def queue_list(as_json: AsJson = False) -> None:
    """Show what is parked, and why."""
    from pi_opensync.cli.queue import list_parked

    list_parked(as_json=as_json)


@queue.command("retry", epilog="Example: pi-opensync queue retry --all")
def queue_retry(
    external_id: Annotated[str | None, typer.Argument(metavar="ID", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
) -> None:
    """Try again to send something that is parked."""
    from pi_opensync.cli.queue import retry_parked

    retry_parked(external_id, every=every)


@queue.command("drop", epilog="Example: pi-opensync queue drop ID")
def queue_drop(external_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Give up on something that is parked; the transcript keeps it."""
    from pi_opensync.cli.queue import drop_parked

    drop_parked(external_id)


@app.command(epilog="Example: pi-opensync status --json")
def status(as_json: AsJson = False) -> None:
    """Show what is delivered, what waits, and whether a daemon runs."""
    from pi_opensync.cli.status import run

    run(as_json=as_json)


register(app)
