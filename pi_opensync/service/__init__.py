"""Runs by itself: systemd on Linux, launchd on macOS."""
