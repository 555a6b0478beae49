"""Whether a project may leave, by its folder as it is now and by what is known of it."""

from dataclasses import replace

from pi_opensync import texts
from pi_opensync.privacy.cleaner import WITHHELD, Cleaner
from pi_opensync.privacy.known import ExcludedFiles, KnownExclusions
from pi_opensync.privacy.projects import HIDDEN_HOME, Exclusion, MayLeave, Projects

MOST_NAMES = 1000  # that are remembered


class Judge:
    """Says which projects may leave, and remembers of those that may not why."""

    def __init__(
        self, projects: Projects, known: KnownExclusions, clean: Cleaner, files: ExcludedFiles | None = None
    ) -> None:
        self._projects = projects
        self._known = known
        self._files = files or ExcludedFiles()
        self._clean = clean
        self._names: dict[str, str] = {}  # asked for before every request

    def reason(self, project: str | None) -> str | None:
        """Why the project stays here; None where it may leave. An exclusion ends when the folder is seen.

        Raises `StoreUnavailable` where nobody can say.
        """
        if project is None:
            return self._projects.judge(None).reason
        name = self.name(project)
        known = self._known.of(name)
        judgement = self._projects.judge(project, known=known)
        if isinstance(judgement, MayLeave):
            self._known.forget(name)
            return None
        self._known.remember(name, self._as_kept(judgement.exclusion))
        return self.name(judgement.reason)

    def _as_kept(self, exclusion: Exclusion) -> Exclusion:
        """Without secrets in the names of folders: a marker whose path holds one is not looked for again."""
        if exclusion.by != "marker" or exclusion.what is None:
            return exclusion
        what = self.name(exclusion.what)
        is_redacted = "[REDACTED:" in what.replace(HIDDEN_HOME, "") or what == WITHHELD
        return replace(exclusion, reason=self.name(exclusion.reason), what=None if is_redacted else what)

    def leave(self, file: str, project: str | None) -> None:
        """Remember that the transcript of that name belongs to an excluded project. Raises as `reason`."""
        if project is not None:
            self._files.remember(self.name(texts.storable(file)), self.name(project))

    def project_of_lost(self, file: str) -> str | None:
        """The folder, as it may be kept, of an excluded transcript that can not be found now.

        Raises as `reason`.
        """
        return self._files.project(self.name(texts.storable(file)))

    def name(self, project: str) -> str:
        """The project's folder as it may be kept."""
        name = self._names.get(project)
        if name is None:
            name = self._clean.or_withheld(project)
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            if name != WITHHELD:
                self._names[project] = name
        return name
