"""`python -m tests.standin`: a stand-in of OpenSync for processes; its key is read from STANDIN_KEY."""

import argparse
import asyncio
import os
import sys
import time
from contextlib import suppress

from tests.standin.backend import OpenSync
from tests.standin.server import Server, seeded_faults


async def serve(server: Server, port: int) -> None:
    await server.start(port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--delay-ms", type=float, default=0, help="time that each request takes")
    parser.add_argument("--batch-keeps-dates", action="store_true", help="be the later server")
    parser.add_argument("--faults", type=float, default=0, metavar="RATE", help="share that fails, 0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    options = parser.parse_args()
    key = os.environ.get("STANDIN_KEY", "")
    if not key.startswith("osk_"):
        parser.error("STANDIN_KEY must hold the API key; it begins with osk_")
    opensync = OpenSync(now=time.time, key=key, batch_keeps_dates=options.batch_keeps_dates)
    faults = seeded_faults(options.faults, options.seed)
    server = Server(opensync, delay=options.delay_ms / 1000, faults=faults)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(server, options.port))


if __name__ == "__main__":
    main()
