"""`pi-opensync setup`: from nothing to a dashboard that keeps itself equal, a question at a time."""

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from pi_opensync import configuration
from pi_opensync.cli import login, service, sync, terminal
from pi_opensync.cli.announcement import announcement
from pi_opensync.cli.context import Context
from pi_opensync.cli.exclude import add_exclusion
from pi_opensync.cli.options import Local, new_app
from pi_opensync.cli.terminal import Ask
from pi_opensync.errors import ConfigurationError, PiOpensyncError
from pi_opensync.pi import discover
from pi_opensync.read.select import Wanted
from pi_opensync.texts import counted, shown

NAMED = 12  # projects that are named before the question what to leave out

app = new_app()


@dataclass(frozen=True, slots=True)
class SetupAnswers:
    """What the options say; None is asked about, or left as it is where nobody can be asked."""

    local: bool = False
    url: str | None = None
    key_stdin: bool = False
    from_plugin: bool = False
    exclude: tuple[str, ...] = ()
    history: bool | None = None
    service: bool | None = None
    write_settings: bool = False

    @property
    def logs_in(self) -> bool:
        return self.url is not None or self.key_stdin or self.from_plugin


@app.command(epilog="Example: pi-opensync setup")
def setup(
    local: Local = False,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Log in to this OpenSync.")] = None,
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
        typer.Option(
            "--write-settings", help="Keep settings of this shell's environment in the file of settings."
        ),
    ] = False,
) -> None:
    run(
        SetupAnswers(
            local=local,
            url=url,
            key_stdin=key_stdin,
            from_plugin=from_plugin,
            exclude=tuple(exclude or ()),
            history=history,
            service=service_wanted,
            write_settings=write_settings,
        )
    )


def run(wishes: SetupAnswers) -> None:
    """Every step sees the settings as the one before left them; at the end stands what was done."""
    ask = terminal.ask()
    done: list[str] = []
    _find_sessions(Context())
    try:
        local = _choose(wishes, ask, done)
        _leave_out(wishes, ask, done)
        if not local:
            _send_history(wishes, ask, done)
        _install(wishes, ask, done, local=local)
    except (EOFError, KeyboardInterrupt, typer.Exit):
        done.append("left off here; `pi-opensync setup` goes on")
        raise
    finally:
        if done:
            print("\nWhat was done:")
            for line in done:
                terminal.say(line, 2)


def _find_sessions(context: Context) -> None:
    _step(1, "pi's sessions")
    for folder in context.folders:
        there = counted(len(discover.files((folder,))), "session") if folder.is_dir() else "not there yet"
        terminal.say(f"{shown(str(folder))}: {there}", 2)


def _choose(wishes: SetupAnswers, ask: Ask | None, done: list[str]) -> bool:
    """Where the dashboard is; whether it is on this machine only."""
    _step(2, "your dashboard")
    chosen = Context().settings
    if not (wishes.local or wishes.logs_in) and chosen.convex_url is not None and chosen.api_key is not None:
        print(f"  logged in to {chosen.convex_url}; `pi-opensync login` changes that")
        done.append(f"logged in to {chosen.convex_url}, as before")
        return False
    if ask is None and not (wishes.local or wishes.logs_in):
        raise ConfigurationError(
            "not logged in, and there is no terminal to ask",
            hint="use --local, --url with --key-stdin, or --from-plugin",
        )
    local = wishes.local
    if ask is not None and not local and not wishes.logs_in:
        terminal.say("1: only on this machine; nothing leaves it, no account is needed", 2)
        terminal.say("2: on a server: OpenSync, where you have an account, or your own", 2)
        local = _one_of(ask, "  Which one? [1] ", "1", "2") == "1"
    if not local:
        _log_in(wishes, ask)
        done.append(f"logged in to {Context().settings.convex_url}")
    else:
        done.append("your dashboard is on this machine only")
    return local


def _log_in(wishes: SetupAnswers, ask: Ask | None) -> None:
    from_plugin = wishes.from_plugin
    plugin = configuration.plugin_config_path(os.environ)
    if ask is not None and not wishes.logs_in and plugin.exists():
        from_plugin = _yes(ask, f"  Take URL and key from {plugin}? [Y/n] ", otherwise=True)
    while True:
        try:
            login.run(url=wishes.url, key_stdin=wishes.key_stdin, from_plugin=from_plugin)
        except PiOpensyncError as error:
            if (
                ask is None
                or wishes.logs_in
                or not _yes(ask, f"  {error.message}. Again? [Y/n] ", otherwise=True)
            ):
                raise
            from_plugin = False
        else:
            return


def _leave_out(wishes: SetupAnswers, ask: Ask | None, done: list[str]) -> None:
    _step(3, "what to leave out")
    patterns = list(wishes.exclude)
    if ask is not None and not patterns:
        headers = [item.header for item in Context().sessions()]
        projects = sorted({header.cwd for header in headers if header and header.cwd})
        for project in projects[:NAMED]:
            terminal.say(shown(project), 2)
        if len(projects) > NAMED:
            print(f"  and {len(projects) - NAMED} more")
        while pattern := ask("  A project to leave out (a folder or a glob; Enter for none): ").strip():
            try:
                add_exclusion(pattern)
            except PiOpensyncError as error:
                terminal.say(error.message, 2)
    for pattern in patterns:
        add_exclusion(pattern)
    context = Context()
    named = ", ".join(map(shown, context.settings.exclude))
    hit = sum(item.excluded is not None for item in context.sessions())
    left_out = f"{named}: {counted(hit, 'session')}" if named else "nothing"
    terminal.say(f"left out: {left_out}", 2)
    done.append(f"left out: {left_out}")
    print(f"  secrets in texts are {'redacted' if context.settings.redact else 'NOT redacted'}")


def _send_history(wishes: SetupAnswers, ask: Ask | None, done: list[str]) -> None:
    _step(4, "the sessions that are there already")
    context = Context()
    leaving = [item for item in context.sessions() if item.leaves]
    if not leaving:
        print("  none")
        return
    base_url, _key = context.settings.require_server()
    terminal.say(announcement(leaving, base_url, context.cleaner), 2)
    wanted = wishes.history
    if wanted is None and ask is not None:
        answer = _one_of(ask, "  Send them? [y/N, p for a preview] ", "n", "no", "y", "yes", "p", "preview")
        if answer in ("p", "preview"):
            sync.run(Wanted(), dry_run=True, yes=False, log_format="auto", debug=None)
            wanted = _yes(ask, "  Send them? [y/N] ", otherwise=False)
        else:
            wanted = answer in ("y", "yes")
    if not wanted:
        done.append("the sessions of before are not sent; `pi-opensync sync` sends them")
        return
    try:
        sync.run(Wanted(), dry_run=False, yes=True, log_format="auto", debug=None, announced=True)
    except PiOpensyncError as error:
        done.append("the sessions of before are not all sent; `pi-opensync sync` goes on")
        if ask is None:
            raise
        terminal.say(error.message, 2)
    else:
        done.append(f"the sessions of before are sent: {len(leaving):,}")


def _install(wishes: SetupAnswers, ask: Ask | None, done: list[str], *, local: bool) -> None:
    _step(4 if local else 5, "by itself, from login on")
    wanted = wishes.service
    option = " --local" if local else ""
    by_hand = f"`pi-opensync watch{' --local --open' if local else ''}` runs it here"
    impossible = service.what_is_missing(local=local)
    if wanted is None and impossible is not None:
        for line in (impossible.message, *(impossible.hint or "").splitlines()):
            terminal.say(line.strip(), 2)
        done.append(f"no service: {impossible.message}; {by_hand}")
        return
    if wanted is None and ask is not None:
        wanted = _yes(ask, "  Install and start the service? [Y/n] ", otherwise=True)
    if not wanted:
        done.append(f"no service; `pi-opensync service install{option}` installs it, {by_hand}")
        return
    try:
        service.install(local=local, write_settings=wishes.write_settings, print_only=False)
    except PiOpensyncError:
        done.append(f"no service: it could not be installed, see below; {by_hand}")
        raise
    opens = "; `pi-opensync serve --open` opens your dashboard" if local else ""
    done.append(f"the service is installed and runs{opens}")


def _yes(ask: Ask, question: str, *, otherwise: bool) -> bool:
    usual, other = ("y", "n") if otherwise else ("n", "y")
    return _one_of(ask, question, usual, other, "yes", "no") in ("y", "yes")


def _one_of(ask: Ask, question: str, usual: str, *others: str) -> str:
    """One of these answers, the usual one for Enter; what is none of them is asked again."""
    while (answer := ask(question).strip().lower() or usual) not in (usual, *others):
        pass
    return answer


def _step(number: int, title: str) -> None:
    print(f"{number}. {title}")
