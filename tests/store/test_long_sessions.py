"""What an append costs the store does not depend on how much of the session was delivered before."""

from pathlib import Path

from tests.deliver.talks import write_session
from tests.harness import World, said

GRAIN = 20  # instructions of SQLite's machine


def instructions(world: World, name: str) -> int:
    """What SQLite does, counted in its own instructions, until one more message is delivered."""
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += GRAIN
        return False

    world.engine.database.connection.set_progress_handler(count, GRAIN)
    world.append(f"{name}.jsonl", said("user", f"one more in {name}", world.clock.now()))
    world.sync()
    world.engine.database.connection.set_progress_handler(None, 0)
    return taken


def test_an_append_to_a_long_session_asks_as_little_as_one_to_a_short(tmp_path: Path) -> None:
    with World(tmp_path, batch_keeps_dates=True) as world:
        write_session(world, "short", 10)
        write_session(world, "long", 3_000)
        world.sync()
        world.clock.move(100.0)
        short, long = instructions(world, "short"), instructions(world, "long")
        assert len(world.opensync.messages) == 3_012
        assert long < 1.5 * short
