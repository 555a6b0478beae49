"""What keeps a process that runs for months small."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_ARENA_MAX = -8  # of glibc


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let these libraries not be found while the block imports others, unless they are loaded already.

    httpx tries them for a command line of its own, structlog for coloured tracebacks with local variables
    and for what runs in greenlets: 6 MB and 70 ms for what pi-opensync never uses.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how `import` is told that there is none
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def one_arena() -> None:
    """Let all threads take memory from one place (mallopt(3)): they do little, and each kept its own."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give back to the system what was freed (malloc_trim(3)), where it is asked for: in glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
