"""Libraries without what they only try to bring along."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let these libraries not be found while the block imports others, unless they are loaded already.

    httpx tries them for a command line of its own, structlog for coloured tracebacks with local variables:
    5 MB and 70 ms for what pi-opensync never uses.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how `import` is told that there is none
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
