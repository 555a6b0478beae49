"""What the user chose: which parts of a session are shown, which projects leave, what is redacted."""

from pathlib import Path

from pi_opensync.errors import ConfigurationError
from pi_opensync.model import Options
from pi_opensync.privacy import known as known_in
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.known import ExcludedFiles, KnownExclusions
from pi_opensync.privacy.projects import Projects
from pi_opensync.privacy.redact import Redactor
from pi_opensync.settings import Settings


def cleaner(settings: Settings) -> Cleaner:
    """What every string of a transcript goes through. Raises `ConfigurationError` for a bad pattern."""
    return Cleaner(redactor(settings))


def redactor(settings: Settings) -> Redactor | None:
    """None where the user turned redaction off. Raises `ConfigurationError` for a bad pattern."""
    if not settings.redact:
        return None
    try:
        return Redactor(
            own_key=settings.api_key.get_secret_value() if settings.api_key else None,
            patterns=settings.redact_patterns,
            emails=settings.redact_emails,
            home=str(Path.home()) if settings.redact_home else None,
        )
    except ValueError as error:
        raise ConfigurationError(str(error), hint="patterns are RE2 expressions") from None


def options(settings: Settings, *, extras: bool = False) -> Options:
    """`extras`: the server is our own, on this machine, and takes more than OpenSync does."""
    takes_extras = extras or settings.takes_extras
    chosen = {name: getattr(settings, name) for name in settings.shown()}
    machine = settings.machine if takes_extras else None
    return Options(**chosen, extras=takes_extras, machine=machine, images=extras)


def policy(settings: Settings) -> Projects:
    return Projects(settings.include, settings.exclude, home=str(Path.home()))


def judge(settings: Settings, clean: Cleaner) -> Judge:
    """Which projects may leave, with what is known of those that may not."""
    known, files = KnownExclusions(settings.state_dir / known_in.FILE), settings.state_dir / known_in.FILES
    return Judge(policy(settings), known, clean, ExcludedFiles(files))
