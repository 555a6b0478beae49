"""What the server of `tests.forked` imports before it forks."""

import gc

import tests.storm.victim
from tests.forked import import_everything

import_everything()
gc.freeze()  # what is imported is never collected, so that no process copies it

__all__ = ["tests"]
