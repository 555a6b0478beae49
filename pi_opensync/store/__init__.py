"""What is known and what is wanted: cursors, session states, the outbox. SQLite, one file.

The outbox is the desired state, not a log of calls: a row a message and a row a session, each with what is
wanted, what the server has acknowledged, whether an attempt was ever made, and when it may next be tried.
"""

from pi_opensync.store.database import StateDatabase, open_database

__all__ = ["StateDatabase", "open_database"]
