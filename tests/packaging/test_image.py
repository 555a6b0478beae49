"""The Dockerfile's steps, one by one and without a container, and the service of compose.yaml."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml

from tests.conftest import wait_until
from tests.packaging.conftest import ROOT, run

pytestmark = pytest.mark.slow

FOLDERS = ("/src", "/opt/pi-opensync", "/sessions", "/state")  # of the image; here below a folder of the test
STEP = re.compile(r"^([A-Z]+) (.*)$")


@dataclass
class Image:
    """What the steps leave behind: folders below `root`, and how the program is run."""

    root: Path
    environment: dict[str, str]
    health: str = ""
    entry: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """A text of the Dockerfile with its folders where they are for the test."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w/]){folder}\b", f"{self.root}{folder}", text)
        return text

    def path(self, folder: str) -> Path:
        return Path(self.here(folder))


def steps() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [(found[1], found[2]) for line in text.splitlines() if (found := STEP.match(line))]


def carry_out(image: Image, source: Path, step: str, rest: str) -> None:
    """Do what one step says; USER, VOLUME and EXPOSE are a container's alone."""
    match step:
        case "COPY" if not rest.startswith("--from"):
            *names, target = rest.split()
            for name in names:
                into = image.path(target)
                into.mkdir(parents=True, exist_ok=True) if target.endswith("/") else None
                copy = shutil.copytree if (source / name).is_dir() else shutil.copy2
                copy(source / name, into)
        case "RUN":
            owned = rest.replace("-o $UID -g $UID ", "")  # only root can give a folder away
            run("sh", "-ec", image.here(owned), cwd=image.path("/src"), **image.environment)
        case "ENV":
            for name, value in (part.split("=", 1) for part in image.here(rest).split()):
                image.environment[name] = value.replace("$PATH", image.environment["PATH"])
        case "HEALTHCHECK":
            image.health = rest.partition("CMD ")[2]
        case "ENTRYPOINT":
            image.entry = json.loads(rest)


@pytest.fixture(scope="module")
def image(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = tmp_path_factory.mktemp("image")
    root.chmod(0o755)
    run(sys.executable, "-m", "venv", root / "python", cwd=root)  # what `python:3.13-slim` brings
    made = Image(root, {"PATH": f"{root}/python/bin:/usr/bin:/bin", "UV_PYTHON": f"{root}/python/bin/python"})
    for step, rest in steps():
        carry_out(made, source, step, rest)
    return made


@pytest.fixture
def served(image: Image) -> Iterator[httpx.Client]:
    """The service of compose.yaml, as it would run in its container but for the port."""
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["serve"]
    command = [*image.entry, *service["command"], "--port", "0"]
    log = image.root / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [image.path("/opt/pi-opensync") / "bin" / command[0], *command[1:]],
            env=image.environment,
            cwd=image.path("/state"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: bool(re.search(r"http://\S+:\d+", log.read_text())), "an address in the log")
        found = re.search(r"http://\S+?:(\d+)", log.read_text())
        assert found is not None
        with httpx.Client(base_url=f"http://127.0.0.1:{found[1]}", trust_env=False) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def health(image: Image) -> int:
    return subprocess.run(
        ["/bin/sh", "-c", image.health], env=image.environment, capture_output=True, check=False, timeout=30
    ).returncode


def test_each_step_can_be_done_and_the_service_is_healthy_while_it_runs(
    image: Image, served: httpx.Client
) -> None:
    assert served.get("/health").status_code == 200
    assert health(image) == 0


def test_what_does_not_run_is_not_healthy(image: Image) -> None:
    assert health(image) != 0


def test_the_program_is_no_root_and_reads_sessions_only() -> None:
    assert ("USER", "$UID:$UID") in steps()
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert next(mount for mount in services["watch"]["volumes"] if ":/sessions" in mount).endswith(":ro")
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in services.values())
    assert services["serve"]["ports"] == ["127.0.0.1:4780:4780"]


def test_what_the_image_copies_is_what_docker_is_shown() -> None:
    shown = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    copied = {
        name
        for step, rest in steps()
        if step == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert copied == shown
    assert all((ROOT / name).exists() for name in shown)
