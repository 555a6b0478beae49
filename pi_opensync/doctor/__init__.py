"""Checks that say what is wrong and which command mends it."""
