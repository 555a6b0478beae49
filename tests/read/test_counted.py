"""What is not understood is counted where `status` shows it."""

from pathlib import Path

from tests.harness import World, entry, line
from tests.read.settled import THEN, put, talk


def test_unknown_types_and_broken_lines_have_numbers(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        put(
            world,
            "a.jsonl",
            *talk("a", "one"),
            line(entry(THEN + 20, type="novelty")),
            b"not json\n",
            line(entry(THEN + 30, type="novelty")),
            line(entry(THEN + 40, type="wonder")),
        )
        world.sync()
        assert world.tally().unknown_types == {"novelty": 2, "wonder": 1}
        assert world.tally().broken_lines == 1
        world.append("a.jsonl", entry(THEN + 50, type="wonder"))
        world.sync()
        assert world.tally().unknown_types == {"novelty": 2, "wonder": 2}
