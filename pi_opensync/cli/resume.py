"""`pi-opensync resume`."""

from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.privacy import pause as pausing

app = new_app()


@app.command(epilog="Example: pi-opensync resume")
def resume() -> None:
    run()


def run() -> None:
    print("Resumed." if pausing.resume(Context().settings.state_dir) else "It was not paused.")
