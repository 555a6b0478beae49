"""`pi-opensync logout`."""

import os

from pi_opensync import configuration
from pi_opensync.cli.options import new_app

_OF_A_LOGIN = ("convexUrl", "apiKey", "ownServer")

app = new_app()


@app.command(epilog="Example: pi-opensync logout")
def logout() -> None:
    path = configuration.config_path(os.environ)
    stored = configuration.read_file(path)
    kept = {name: value for name, value in stored.items() if name not in _OF_A_LOGIN}
    if kept == stored:
        print("Not logged in.")
        return
    if kept:
        configuration.write_file(path, kept)
    else:
        path.unlink()
    print(f"Logged out; the key is gone from {path}")
