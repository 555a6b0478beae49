"""How long the searches and the sizes are: a part of them in `make test`, all of it in `make storm`."""

import os

import pytest

FULL = os.environ.get("FULL_LENGTH") == "1"

shortened = pytest.mark.shortened


def length(full: int, part: int) -> int:
    return full if FULL else part
