"""The command `pi-opensync`: the one place that prints errors and sets the exit code."""

import gc
import os
import sys

from pi_opensync.cli import direct
from pi_opensync.cli.terminal import columns, take_any_sign, wrapped
from pi_opensync.errors import PiOpensyncError

_SHORT = (["status"], ["list"], ["usage"])  # that only read, and leave nothing to be put away


def main() -> None:
    """Run the command line. Exits with 0, or the exit code of `pi_opensync.errors`."""
    gc.disable()  # what is loaded until a command runs is no garbage: a tenth of the time of a short one
    take_any_sign()
    try:
        if sys.argv[1:] != ["usage", "statusline"] or not _show_statusline():
            _run()
        sys.stdout.flush()
        if sys.argv[1:2] in _SHORT:
            os._exit(0)  # what was loaded goes with the process: taking it down first is a tenth of its time
    except PiOpensyncError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _write_no_more()
        sys.exit(141)
    except OSError as error:
        named = f"{os.fsdecode(error.filename)}: " if error.filename else "can not write: "
        _tell(PiOpensyncError(f"{named}{error.strerror}"))
        _write_no_more()
        sys.exit(1)


def _tell(error: PiOpensyncError) -> None:
    width = columns() if sys.stderr.isatty() else None
    for text in (f"pi-opensync: {error.message}", error.hint and f"  {error.hint}"):
        if text:
            pieces = [piece for line in text.splitlines() for piece in wrapped(line, width, 2)]
            print("\n".join(pieces), file=sys.stderr)


def _write_no_more() -> None:
    """Let what is still to be written out at the end fail nowhere."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 1)


def _run() -> None:
    if direct.run(sys.argv[1:]):
        return
    # Looking for plugins of pydantic takes time, and none is ours.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from pi_opensync.cli.app import app  # noqa: PLC0415 - errors of an import are reported by `main`

    gc.enable()
    app(prog_name="pi-opensync", standalone_mode=True)


def _show_statusline() -> bool:
    """Without the libraries of the command line: a status bar asks for it every few seconds."""
    from pi_opensync.cli import statusline  # noqa: PLC0415 - of all commands this one alone needs it here

    return statusline.show()


if __name__ == "__main__":
    main()
