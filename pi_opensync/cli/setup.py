"""`pi-opensync setup`: from nothing to a dashboard that keeps itself equal, a question at a time."""

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from pi_opensync import settings
from pi_opensync.cli import login, service, sync
from pi_opensync.cli.announcement import announcement
from pi_opensync.cli.context import Context
from pi_opensync.cli.exclude import add_exclusion
from pi_opensync.cli.options import new_app
from pi_opensync.cli.service import Ask
from pi_opensync.errors import ConfigurationError
from pi_opensync.pi import discover
from pi_opensync.read.select import Wanted
from pi_opensync.texts import shown

NAMED = 12  # projects that are named before the question what to leave out

app = new_app()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say; None is asked about, or left as it is where nobody can be asked."""

    url: str | None = None
    key_stdin: bool = False
    from_plugin: bool = False
    exclude: tuple[str, ...] = ()
    history: bool | None = None
    service: bool | None = None
    write_settings: bool = False


@app.command(epilog="Example: pi-opensync setup")
def setup(
    url: Annotated[str | None, typer.Option(help="Log in to this deployment.")] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Log in with the key (osk_...) from stdin.")
    ] = False,
    from_plugin: Annotated[
        bool, typer.Option("--from-plugin", help="Log in as pi-opensync-plugin's configuration does.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Leave out a project: a folder, or a glob as in a .gitignore. May be repeated.",
        ),
    ] = None,
    history: Annotated[
        bool | None, typer.Option(help="Send the sessions that are there already, or do not.")
    ] = None,
    service_wanted: Annotated[
        bool | None, typer.Option("--service/--no-service", help="Install and start the service, or do not.")
    ] = None,
    write_settings: Annotated[
        bool,
        typer.Option("--write-settings", help="Write settings of the environment into the configuration."),
    ] = False,
) -> None:
    run(
        Wishes(
            url=url,
            key_stdin=key_stdin,
            from_plugin=from_plugin,
            exclude=tuple(exclude or ()),
            history=history,
            service=service_wanted,
            write_settings=write_settings,
        )
    )


def run(wishes: Wishes) -> None:
    """Every step sees the settings as the one before left them."""
    ask = service.terminal()
    _find_sessions(Context())
    _log_in(wishes, ask)
    _leave_out(wishes, ask)
    _send_history(wishes, ask)
    _install(wishes, ask)


def _find_sessions(context: Context) -> None:
    _step(1, "pi's sessions")
    for folder in context.folders:
        count = len(discover.files((folder,)))
        there = f"{count} {'session' if count == 1 else 'sessions'}" if folder.is_dir() else "not there yet"
        print(f"  {shown(str(folder))}: {there}")


def _log_in(wishes: Wishes, ask: Ask | None) -> None:
    _step(2, "your OpenSync")
    chosen = Context().settings
    asked_for = wishes.url is not None or wishes.key_stdin or wishes.from_plugin
    if chosen.convex_url is not None and chosen.api_key is not None and not asked_for:
        print(f"  logged in to {chosen.convex_url}; `pi-opensync login` changes that")
        return
    from_plugin = wishes.from_plugin
    plugin = settings.plugin_config_path(os.environ)
    if ask is None and not asked_for:
        raise ConfigurationError(
            "not logged in, and there is no terminal to ask",
            hint="use --url with --key-stdin, or --from-plugin",
        )
    if ask is not None and not asked_for and plugin.exists():
        from_plugin = _yes(ask, f"  Take URL and key from {plugin}? [Y/n] ", otherwise=True)
    login.run(url=wishes.url, key_stdin=wishes.key_stdin, from_plugin=from_plugin)


def _leave_out(wishes: Wishes, ask: Ask | None) -> None:
    _step(3, "what to leave out")
    context = Context()
    patterns = list(wishes.exclude)
    if ask is not None and not patterns:
        headers = [item.header for item in context.sessions()]
        projects = sorted({header.cwd for header in headers if header and header.cwd})
        for project in projects[:NAMED]:
            print(f"  {shown(project)}")
        if len(projects) > NAMED:
            print(f"  and {len(projects) - NAMED} more")
        while pattern := ask("  A project to leave out (a folder or a glob; Enter for none): ").strip():
            patterns.append(pattern)
    for pattern in patterns:
        add_exclusion(pattern)
    left_out = Context().settings.exclude
    print(f"  left out: {', '.join(map(shown, left_out)) or 'nothing'}")
    print(f"  secrets in texts are {'redacted' if context.settings.redact else 'NOT redacted'}")


def _send_history(wishes: Wishes, ask: Ask | None) -> None:
    _step(4, "the sessions that are there already")
    context = Context()
    leaving = [item for item in context.sessions() if item.leaves]
    if not leaving:
        print("  none")
        return
    base_url, _key = context.settings.require_server()
    print(f"  {announcement(leaving, base_url, context.cleaner)}")
    wanted = wishes.history
    if wanted is None and ask is not None:
        answer = ask("  Send them? [y/N, p for a preview] ").strip().lower()
        if answer in ("p", "preview"):
            sync.run(Wanted(), dry_run=True, yes=False, log_format="auto", debug=None)
            answer = ask("  Send them? [y/N] ").strip().lower()
        wanted = answer in ("y", "yes")
    if wanted:
        sync.run(Wanted(), dry_run=False, yes=True, log_format="auto", debug=None, announced=True)
    else:
        print("  not sent; `pi-opensync sync` sends them, and each that changes is taken up whole")


def _install(wishes: Wishes, ask: Ask | None) -> None:
    _step(5, "by itself, from login on")
    wanted = wishes.service
    if wanted is None and ask is not None:
        wanted = _yes(ask, "  Install and start the service? [Y/n] ", otherwise=True)
    if not wanted:
        print("  not installed; `pi-opensync service install` does it, `pi-opensync watch` runs it here")
        return
    service.install(local=False, write_settings=wishes.write_settings, print_only=False)


def _yes(ask: Ask, question: str, *, otherwise: bool) -> bool:
    answer = ask(question).strip().lower()
    return answer in ("y", "yes") if answer else otherwise


def _step(number: int, title: str) -> None:
    print(f"{number}. {title}")
