"""The command line: one file a command, imported when it runs."""

PORT = 4780  # of one's own dashboard, where no other is asked for
