"""How long a command takes that a person waits for, beside a Python that does nothing."""

import statistics
from pathlib import Path

from bench.corpus import history
from bench.engines import bare, settings
from bench.processes import imported, seconds, variables
from bench.rows import Row, Target, row

NAME = "commands"
ROUNDS = 15
SESSIONS = 100
URL = "http://127.0.0.1:9"
COMMANDS: dict[str, tuple[tuple[str, ...], Target | None]] = {
    "--help": (("-m", "pi_opensync", "--help"), Target(150.0)),
    "status": (("-m", "pi_opensync", "status"), Target(100.0)),
    "list": (("-m", "pi_opensync", "list"), Target(100.0)),
    "status --json": (("-m", "pi_opensync", "status", "--json"), None),
    "--version": (("-m", "pi_opensync", "--version"), None),
}
FLOORS: dict[str, tuple[str, ...]] = {
    "a Python that does nothing": ("-c", "pass"),
    "importing typer": ("-c", imported(["typer"])),
}


def run(scale: float, folder: Path) -> list[Row]:
    sessions, home = folder / "sessions", folder / "home"
    count = max(3, round(SESSIONS * min(1.0, scale)))
    history(sessions, count, 2)
    with bare(settings(home / "state", URL), sessions) as filling:
        filling.hasty(hasty=True)
        filling.catch_up()
    configured = variables(home, sessions, URL)
    times: dict[str, list[float]] = {name: [] for name in (*COMMANDS, *FLOORS)}
    for _ in range(max(1, round(ROUNDS * min(1.0, scale)))):
        for name, arguments in FLOORS.items():
            times[name].append(seconds(*arguments))
        for name, (arguments, _target) in COMMANDS.items():
            times[name].append(seconds(*arguments, variables=configured))
    middle = {name: 1000 * statistics.median(each) for name, each in times.items()}
    nothing, typer = FLOORS
    rows = [
        row(
            NAME,
            f"`{name}`",
            middle[name],
            "ms",
            beside=nothing,
            other=middle[nothing],
            target=target,
            counts={"sessions": count},
        )
        for name, (_arguments, target) in COMMANDS.items()
    ]
    return [*rows, row(NAME, "`--help`, again", middle["--help"], "ms", beside=typer, other=middle[typer])]
