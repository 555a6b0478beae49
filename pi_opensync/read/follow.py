"""Which transcripts are to be read, and in what order: hints make it fast, sweeps make it right."""

import os
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.pi.discover import Found, Item, Odd, Trace, Unreadable, leads_out, transcripts
from pi_opensync.pi.tail import Signature
from pi_opensync.read.again import Again
from pi_opensync.read.baseline import Baseline
from pi_opensync.read.glance import ACTIVE, Glance, glance
from pi_opensync.read.reader import Progress, Read, Reader
from pi_opensync.read.signatures import Signatures
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.transcripts import Transcripts


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below the folders; of those in `items` something may be new, of all others nothing is."""

    items: list[Item]
    files: int


@dataclass(slots=True)
class Looked:
    """What a sweep found."""

    files: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class ReadPiece:
    """What came of one look into the file at `path`."""

    path: bytes
    live: bool
    read: Read | OSError


class Follow:
    """The transcripts to read, those that change before those of a backfill."""

    def __init__(
        self,
        database: StateDatabase,
        reader: Reader,
        again: Again,
        folders: tuple[Path, ...],
        *,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._transcripts = Transcripts(database)
        self._reader = reader
        self._again = again
        self._folders = folders
        self._now = now
        self._baseline = Baseline(database)
        self._signatures = Signatures(self._transcripts.looked_at())
        self._live: dict[bytes, None] = {}
        self._old: dict[bytes, None] = {}
        self._full: dict[bytes, bool] = {}
        self._later: dict[bytes, float] = {}
        self.problems: dict[bytes, str] = {}
        self.unreadable: dict[bytes, str] = {}
        self.odd: dict[bytes, str] = {}
        self._glance: Glance | None = None
        self._active: dict[bytes, None] = {}

    def list_files(self) -> Listing:
        """The files below the folders. Touches only the file system: may run in a thread."""
        self._glance, self._active = None, {}
        now, trace = self._now(), Trace()
        items: list[Item] = []
        since = (now - ACTIVE) * 1e9
        active: dict[bytes, None] = {}
        for item in transcripts(self._folders, trace):
            if isinstance(item, Found):
                is_known = self._signatures.has(item.path, item.signature)
                if not is_known or item.signature.modified > since:
                    active[item.path] = None
                if is_known:
                    continue
            items.append(item)
        self._active.update(active)
        self._glance = glance(items, trace, self._folders, now)
        return Listing(items, trace.files)

    def glance(self) -> Listing | None:
        """What changed since all files were listed, as folders and the files written of late tell.

        None where that needs `list_files`. Whoever asks heard every event since. Touches only the file
        system: may run in a thread.
        """
        seen = self._glance
        if seen is None:
            return None
        items = seen.finds(self._signatures, list(self._active))
        if items is None or any(leads_out(item.path, self._folders) for item in items):
            return None
        return Listing(items, seen.count)

    def begin(self, listing: Listing, *, backfill: bool) -> int:
        """The first start leaves alone what is there; returns how many files were left alone.

        With `backfill` everything is taken, also what an earlier start left alone.
        """
        found = [item for item in listing.items if isinstance(item, Found)]
        first = self._baseline.begin(self._now(), take_all=backfill)
        if backfill:
            oldest_first = sorted([*found, *self.left_alone()], key=lambda item: item.signature.modified)
            self.take(oldest_first)  # a dashboard shows on top what was written last
            return 0
        left = 0
        if first:
            with self._database.transaction():
                for item in found:
                    if self._transcripts.by_path(item.path) is None:
                        self._leave_alone(item)
                        left += 1
        return left

    def take(self, found: Iterable[Found]) -> None:
        """Queue transcripts, also those that the first start left alone, unless they are read already."""
        for item in found:
            known = self._transcripts.by_path(item.path)
            if known is None or not known.followed or not self._signatures.has(item.path, item.signature):
                self.queue(item.path, live=False)

    def compare(self, listing: Listing) -> Looked:
        """Queue what a listing shows to be new or changed."""
        looked = Looked(files=listing.files)
        self.unreadable = {}
        for item in listing.items:
            if isinstance(item, Unreadable):
                self.unreadable[item.path] = item.reason
            elif isinstance(item, Odd):
                self.odd[item.path] = item.reason
            else:
                looked.changed += self._consider(item, live=False)
        looked.changed += self._read_anew(self._again.by_policy())
        return looked

    def settings_are(self, fingerprint: str) -> None:
        """Queue what waits and was read under other settings. Raises `StoreUnavailable`."""
        self._read_anew(self._again.by_settings(fingerprint))

    def read_sessions_anew(self, external_ids: list[str]) -> None:
        """Queue the files of these sessions, to be read from their starts. Raises `StoreUnavailable`."""
        self._read_anew(self._again.sessions(external_ids))

    def _read_anew(self, paths: Iterable[bytes]) -> int:
        count = 0
        for path in paths:
            self._signatures.forget(path)
            self.queue(path, live=False)
            count += 1
        return count

    def hint(self, path: bytes) -> None:
        """Take note that a transcript may have changed just now. Raises `StoreUnavailable`."""
        if leads_out(path, self._folders):
            return
        try:
            signature = Signature.of(os.stat(path))  # noqa: PTH116 - bytes path
        except OSError:
            return
        self._active[path] = None
        self._consider(Found(path, signature), live=True)

    def clock_was_set(self) -> None:
        """Raises `StoreUnavailable`."""
        self._baseline.clock_was_set(self._now())

    def left_alone(self) -> list[Found]:
        """The transcripts that are not followed."""
        return [Found(known.path, known.signature) for known in self._transcripts.all() if not known.followed]

    def _consider(self, item: Found, *, live: bool) -> bool:
        """Queue the file if it changed; the same for an event and for a sweep."""
        if self._signatures.has(item.path, item.signature):
            return False
        if (
            self._baseline.leaves_alone(item.signature.modified / 1e9)
            and self._transcripts.by_path(item.path) is None
            and not self._transcripts.by_inode(item.signature)
        ):
            self._leave_alone(item)
            return False
        self.queue(item.path, live=live)
        return True

    def _leave_alone(self, item: Found) -> None:
        self._transcripts.add(item.path, item.signature, followed=False)
        self._signatures.keep(item.path, item.signature)

    def queue(self, path: bytes, *, live: bool) -> None:
        if live:
            self._old.pop(path, None)
            self._live[path] = None
        elif path not in self._live:
            self._old[path] = None

    def drained(self) -> None:
        """Delivery made room: what waited for it may go on."""
        for path, live in self._full.items():
            self.queue(path, live=live)
        self._full.clear()

    @property
    def has_more(self) -> bool:
        """Whether `read_next` has something to do now."""
        self._requeue_later()
        return bool(self._live or self._old)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued, waits for room, or is to be looked at again."""
        return not (self.has_more or self._full or self._later)

    @property
    def left(self) -> int:
        """Transcripts that are queued or wait to be read on."""
        return len(self._live) + len(self._old) + len(self._full) + len(self._later)

    @property
    def waits_for_room(self) -> bool:
        """Whether a transcript is to be read on when the outbox has drained."""
        return bool(self._full)

    def next_look(self) -> float | None:
        """When a file is to be looked at again that is being rewritten."""
        return min(self._later.values(), default=None)

    def read_next(self) -> None:
        """Read one piece of the first transcript in the queue. Raises `StoreUnavailable`."""
        piece = self.read()
        if piece is not None:
            self.settle(piece)

    def read(self, besides: Container[bytes] = ()) -> ReadPiece | None:
        """Read one piece of the first transcript in the queue; what came of it goes to `settle`.

        Where it is called in a transaction, when that is on disk. `besides` are read and not settled yet;
        None where all are. Raises `StoreUnavailable`.
        """
        for live, queue in ((True, self._live), (False, self._old)):
            path = next((path for path in queue if path not in besides), None)
            if path is not None:
                return self._read(path, live=live)
        return None

    def _read(self, path: bytes, *, live: bool) -> ReadPiece:
        try:
            return ReadPiece(path, live, self._reader.read(path, live=live))
        except OSError as error:
            return ReadPiece(path, live, error)

    def settle(self, piece: ReadPiece) -> None:
        """Put a file that was looked into where it belongs now."""
        path, read = piece.path, piece.read
        if isinstance(read, OSError):
            del (self._live if piece.live else self._old)[path]
            # Not looked at: the next sweep tries again, whatever the reason was.
            self._signatures.forget(path)
            self._active[path] = None
            if not isinstance(read, FileNotFoundError):
                self.problems[path] = read.strerror or type(read).__name__
            return
        self.problems.pop(path, None)
        self._read_anew(read.look_again)
        self._place(path, read, live=piece.live)

    def _place(self, path: bytes, read: Read, *, live: bool) -> None:
        if read.progress is Progress.MORE:
            return
        self._live.pop(path, None)
        self._old.pop(path, None)
        if read.progress is Progress.FULL:
            self._full[path] = live
        elif read.progress is Progress.LATER:
            self._later[path] = self._now() + read.seconds
        else:
            self._signatures.keep(path, read.signature)
            self.odd.pop(path, None)
            if read.odd is not None:
                self.odd[path] = read.odd

    def _requeue_later(self) -> None:
        now = self._now()
        for path, at in list(self._later.items()):
            if at <= now:
                del self._later[path]
                self.queue(path, live=True)
