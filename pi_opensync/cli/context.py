"""What a command works with: settings, folders, rules, dashboards, stores, each made in one place."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pi_opensync import configuration, settings
from pi_opensync.daemon import places
from pi_opensync.files import require_private_folder
from pi_opensync.pi import discover
from pi_opensync.pi.discover import Found, Roots
from pi_opensync.store.database import StateDatabase, open_beside, open_database, open_or_rebuild

if TYPE_CHECKING:  # loaded where they are used: most commands read only the store, and shall do so at once
    from collections.abc import Iterator, Sequence

    from pi_opensync import logbook
    from pi_opensync.daemon import build as engine
    from pi_opensync.daemon.events import LogEvents
    from pi_opensync.daemon.places import Place
    from pi_opensync.pi.discover import Item
    from pi_opensync.privacy.cleaner import Cleaner
    from pi_opensync.privacy.judge import Judge
    from pi_opensync.privacy.redact import Redactor
    from pi_opensync.read.select import Chosen, Wanted


PROJECTS_AGAIN = 60.0  # seconds
ALL_PROJECTS_AGAIN = 600.0


class Context:
    """One command's. Raises `ConfigurationError` where the settings can not be understood.

    Also where others have a hand in the state folder: what is in it is not to be believed then.
    """

    def __init__(self, *, debug: bool | None = None) -> None:
        self.stamp = configuration.Stamp.take()
        self.settings = settings.load(debug=debug)
        with suppress(OSError):  # what can not be looked at is told where it is needed
            require_private_folder(self.settings.state_dir)
        self._is_listed = False  # whether this is the command's own listing: a daemon keeps none
        self._own_listing: Sequence[Item] | None = None
        self._looked_for_projects = 0.0
        self._named_at: list[int] = []

    def log(self, chosen: logbook.LogFormat = "auto") -> None:
        """Set up the log lines, for the commands that have some."""
        from pi_opensync import logbook

        logbook.configure(chosen, debug=self.settings.debug)

    @staticmethod
    def now() -> float:
        return time.time()

    # pi's sessions

    @cached_property
    def roots(self) -> Roots:
        """The folders of sessions, also of projects that sessions were held in, where these may say so."""
        return self._roots_of(self._projects)

    def folders_changed(self) -> bool:
        """Whether other folders are to be followed by now: sessions of a new project, or its settings.

        Cheap enough for every sweep; the projects are looked for once in `PROJECTS_AGAIN` at most, and where
        no name came into the folders, as a new project's folder does, in `ALL_PROJECTS_AGAIN`.
        """
        since = time.monotonic() - self._looked_for_projects
        if since < PROJECTS_AGAIN or (since < ALL_PROJECTS_AGAIN and self._named_at == self._times()):
            return self._roots_of(self._projects) != self.roots
        del self._projects
        return self._roots_of(self._projects) != self.roots

    @cached_property
    def _own_folders(self) -> tuple[Path, ...]:
        chosen = self.settings
        return discover.roots(
            chosen.sessions_dir, os.environ, Path.cwd(), trusted=chosen.trusted_session_dirs
        )

    @cached_property
    def _projects(self) -> Sequence[str]:
        self._looked_for_projects = time.monotonic()
        self._named_at = self._times()
        if self.settings.sessions_dir:
            return ()
        from pi_opensync.pi import parents

        if self._is_listed:
            self._own_listing = list(discover.transcripts(self._own_folders))
            paths = [item.path for item in self._own_listing if isinstance(item, Found)]
        else:
            paths = list(discover.names(self._own_folders))
        return [str(Path.cwd()), *parents.projects(paths)]

    def _times(self) -> list[int]:
        """When a name came into each of the user's own folders, or left it."""
        return [folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in self._own_folders]

    def _roots_of(self, projects: Sequence[str]) -> Roots:
        own = self._own_folders
        if self.settings.sessions_dir:
            return Roots(own)
        named = discover.with_projects(
            own,
            projects,
            home=Path.home(),
            trusted=self.settings.trusted_session_dirs,
            names=discover.named_by_user(os.environ),
        )
        there = [folder for folder in named.followed if folder.is_dir()]
        # Where pi was told another folder, its usual one need not be there; it is noticed when it comes.
        unused = discover.usual_folder(os.environ) if there else None
        followed = [it for it in named.followed if it in there or (it in own and it != unused)]
        return Roots(tuple(followed), named.refused)

    @property
    def folders(self) -> tuple[Path, ...]:
        return self.roots.followed

    @cached_property
    def listing(self) -> Sequence[Item]:
        """What lies in the folders, unreadable and odd ones too."""
        self._is_listed = True
        if self.folders == self._own_folders and self._own_listing is not None:
            return self._own_listing  # met on the way, to learn of the projects
        return list(discover.transcripts(self.folders))

    @property
    def files(self) -> list[Found]:
        return [item for item in self.listing if isinstance(item, Found)]

    def sessions(self, wanted: Wanted | None = None) -> list[Chosen]:
        """The transcripts that are wanted, the newest first, also those that stay here."""
        from pi_opensync.read.select import Wanted

        return (wanted or Wanted()).choose(self.files, self.judge)

    def choose(self, files: Sequence[Found]) -> list[Chosen]:
        """These transcripts, the newest first, also those that stay here."""
        from pi_opensync.read.select import Wanted

        return Wanted().choose(files, self.judge)

    # what may leave, and how

    @cached_property
    def judge(self) -> Judge:
        from pi_opensync.daemon import chosen

        return chosen.judge(self.settings, self.cleaner)

    @cached_property
    def redactor(self) -> Redactor | None:
        from pi_opensync.daemon import chosen

        return chosen.redactor(self.settings)

    @cached_property
    def cleaner(self) -> Cleaner:
        from pi_opensync.privacy.cleaner import Cleaner

        return Cleaner(self.redactor)

    @cached_property
    def receiving(self) -> Cleaner | None:
        """What goes through what other programs send to one's own dashboard; None where nothing does."""
        from pi_opensync.privacy.cleaner import Cleaner

        is_asked = self.settings.redact_received and self.redactor is not None
        return Cleaner(self.redactor, whole=True) if is_asked else None

    @contextmanager
    def folded(
        self, files: Sequence[Found], place: Place | None = None
    ) -> Iterator[tuple[StateDatabase, dict[bytes, str]]]:
        """A dry store of these files as `place` would get them; with it the files that can not be read."""
        from pi_opensync.daemon.chosen import options
        from pi_opensync.inspect.dry import folded

        settings = self.settings if place is None else place.settings
        with folded(
            files,
            self.folders,
            options(settings, extras=place is not None and place.is_own),
            judge=self.judge,
            clean=self.cleaner,
            now=self.now,
        ) as wanted:
            yield wanted

    # the dashboards

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The dashboards that there are; may be none."""
        return places.kept(self.settings)

    @property
    def states(self) -> list[Path]:
        """The folders in which it is kept what is known of each dashboard."""
        return [place.state for place in self.places]

    def require_places(self) -> tuple[Place, ...]:
        """Raises `ConfigurationError` where there is no dashboard, or a key is missing."""
        if not self.places:
            self.settings.require_server()
        for place in self.places:
            if not place.is_own:
                place.settings.require_server()
        return self.places

    def name(self, place: Place) -> str:
        """What to call it in a line: nothing where it is the only one."""
        return f"{place.name}: " if len(self.places) > 1 else ""

    @contextmanager
    def beside(self, place: Place | None) -> Iterator[StateDatabase | None]:
        """What is known of a dashboard, to read; None where nothing is."""
        database = None if place is None else open_beside(place.state)
        try:
            yield database
        finally:
            if database is not None:
                database.close()

    @contextmanager
    def writable(self, place: Place) -> Iterator[StateDatabase]:
        """What is known of a dashboard, to write beside a daemon."""
        database = open_database(place.state)
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def at_work(self, place: Place) -> Iterator[StateDatabase]:
        """What is known of a dashboard, to work on alone: a damaged file is built again."""
        database, aside = open_or_rebuild(place.state, self.now())
        if aside is not None:
            from pi_opensync import logbook

            logbook.get().warning("the state file was damaged; it is built again", moved_to=str(aside))
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def engine(
        self, place: Place, database: StateDatabase, events: LogEvents | None = None
    ) -> Iterator[engine.Engine]:
        """The parts of a run over `database`; one's own dashboard answers it without being served."""
        from pi_opensync.daemon import build as engine

        build = partial(engine.build, events=events, stamp=self.stamp)
        if not place.is_own:
            yield build(place.settings, self.folders, database)
            return
        from pi_opensync.cli.unserved import inside

        with inside(place) as (chosen, transport, handed):
            yield build(chosen, self.folders, database, extras=True, transport=transport, inside=handed)
