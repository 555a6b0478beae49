"""A small OpenSync of one's own: its API, stored in SQLite, with pages to read, search and count."""
