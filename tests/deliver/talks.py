"""Sessions of numbered texts, written as pi writes them."""

from typing import Any

from tests.harness import World, header, said


def write_session(world: World, name: str, texts: int, *, size: int = 0) -> None:
    """A session of that many user messages, said a second apart before now; `size` characters more each."""
    begun = world.clock.now() - texts - 60
    lines = [said("user", f"{name} {number}" + "x" * size, begun + number) for number in range(texts)]
    world.append(f"{name}.jsonl", header(name, begun), *lines)


def numbered(name: str, texts: int) -> list[str]:
    return [f"{name} {number}" for number in range(texts)]


def says(text: str) -> Any:
    return lambda request: request.json is not None and request.json.get("textContent") == text
