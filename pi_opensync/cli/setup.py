"""`pi-opensync setup`: from nothing to a dashboard that keeps itself equal, a question at a time."""

import os
from dataclasses import dataclass
from pathlib import Path

from pi_opensync import settings
from pi_opensync.cli import service, sync
from pi_opensync.cli.announcement import announcement
from pi_opensync.cli.login import login
from pi_opensync.cli.privacy import add_exclusion
from pi_opensync.cli.service import Ask
from pi_opensync.daemon import build as engine
from pi_opensync.errors import ConfigurationError
from pi_opensync.pi import discover
from pi_opensync.read.select import Chosen, Wanted
from pi_opensync.settings import Settings
from pi_opensync.texts import shown

NAMED = 12  # projects that are named before the question what to leave out


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


def run(wishes: Wishes) -> None:
    ask = service.terminal()
    folders = _find_sessions(settings.load())
    _log_in(wishes, ask)
    _leave_out(wishes, ask, folders)
    _send_history(wishes, ask, folders)
    _install(wishes, ask)


def _find_sessions(chosen: Settings) -> tuple[Path, ...]:
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    _step(1, "pi's sessions")
    for folder in folders:
        count = len(discover.files((folder,)))
        there = f"{count} {'session' if count == 1 else 'sessions'}" if folder.is_dir() else "not there yet"
        print(f"  {shown(str(folder))}: {there}")
    return folders


def _log_in(wishes: Wishes, ask: Ask | None) -> None:
    _step(2, "your OpenSync")
    chosen = settings.load()
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
    login(url=wishes.url, key_stdin=wishes.key_stdin, from_plugin=from_plugin)


def _leave_out(wishes: Wishes, ask: Ask | None, folders: tuple[Path, ...]) -> None:
    _step(3, "what to leave out")
    chosen = settings.load()
    patterns = list(wishes.exclude)
    if ask is not None and not patterns:
        headers = [item.header for item in _sessions(chosen, folders)]
        projects = sorted({header.cwd for header in headers if header and header.cwd})
        for project in projects[:NAMED]:
            print(f"  {shown(project)}")
        if len(projects) > NAMED:
            print(f"  and {len(projects) - NAMED} more")
        while pattern := ask("  A project to leave out (a folder or a glob; Enter for none): ").strip():
            patterns.append(pattern)
    for pattern in patterns:
        add_exclusion(pattern)
    left_out = settings.load().exclude
    print(f"  left out: {', '.join(map(shown, left_out)) or 'nothing'}")
    print(f"  secrets in texts are {'redacted' if chosen.redact else 'NOT redacted'}")


def _send_history(wishes: Wishes, ask: Ask | None, folders: tuple[Path, ...]) -> None:
    _step(4, "the sessions that are there already")
    chosen = settings.load()
    leaving = [item for item in _sessions(chosen, folders) if item.leaves]
    if not leaving:
        print("  none")
        return
    base_url, _key = chosen.require_server()
    print(f"  {announcement(leaving, base_url, engine.cleaner(chosen))}")
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


def _sessions(chosen: Settings, folders: tuple[Path, ...]) -> list[Chosen]:
    return Wanted().choose(discover.files(folders), engine.policy(chosen))


def _yes(ask: Ask, question: str, *, otherwise: bool) -> bool:
    answer = ask(question).strip().lower()
    return answer in ("y", "yes") if answer else otherwise


def _step(number: int, title: str) -> None:
    print(f"{number}. {title}")
