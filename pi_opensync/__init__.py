"""Keeps an OpenSync dashboard equal to the sessions that the pi coding agent writes."""

__version__ = "0.1.0"
