"""The pictures of README and docs, made anew from the samples: `make screenshots`.

Needs a Chromium: PI_OPENSYNC_CHROMIUM names one, else `chromium` is looked for.
"""

import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.conftest import wait_until
from tests.docs.pages import ROOT

PICTURES = ROOT / "docs/pictures"
SAMPLES = ROOT / "pi_opensync/samples"
COLUMNS = 92
LINK = re.compile(rb"(http://127\.0\.0\.1:\d+)(/login\?token=[\w-]+)")


# The samples lie in a temporary folder, and would be in a user's home.
AT_HOME = """home => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(home, "/home/sam");
}"""


def pages(browser: Browser, base: str, link: str, home: Path) -> None:
    """The list, a session and the numbers, at twice the size that they are shown in."""
    page = browser.new_page(viewport={"width": 1120, "height": 700}, device_scale_factor=2, locale="en-GB")
    page.goto(base + link)
    page.wait_for_selector("a[href*='/sessions/']")
    page.screenshot(path=PICTURES / "list.png")
    page.click("text=Checkout total off by a cent >> nth=0")
    page.wait_for_load_state("networkidle")
    page.evaluate(AT_HOME, str(home))
    page.screenshot(path=PICTURES / "session.png")
    page.goto(base + "/numbers?days=all")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "numbers.png")
    page.close()


def terminal(browser: Browser, home: Path, environment: dict[str, str]) -> None:
    """What a user sees of some commands, on a terminal of `COLUMNS`."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for command in ("sync --dry-run", "status", "list"):
        console.print(Text.assemble(("$ ", "green"), (f"pi-opensync {command}", "bold")))
        console.print(Text.from_ansi(on_a_terminal(command.split(), home, environment).rstrip()))
        console.print()
    page = browser.new_page(viewport={"width": 1200, "height": 900}, device_scale_factor=2)
    page.set_content(console.export_svg(title="pi-opensync", theme=MONOKAI))
    page.locator("svg").screenshot(path=PICTURES / "terminal.png", omit_background=True)
    page.close()


def on_a_terminal(arguments: list[str], home: Path, environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pi_opensync", *arguments],
        cwd=home,
        env=environment | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the other end is closed when the process is gone
        while chunk := os.read(ours, 65536):
            said += chunk
    os.close(ours)
    process.wait()
    return as_at_home(said.decode().replace("\r\n", "\n"), home)


def as_at_home(text: str, home: Path) -> str:
    """What the samples' user would see: the usual folder and port."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:4780", text.replace(str(home), "/home/sam"))


def main() -> None:
    program = os.environ.get("PI_OPENSYNC_CHROMIUM") or shutil.which("chromium")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        home = Path(folder) / "sam"
        sessions = home / ".pi/agent/sessions"
        shutil.copytree(SAMPLES, sessions)
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"}
        environment["PI_OPENSYNC_MACHINE"] = "laptop"
        environment["PYTHONPATH"] = str(ROOT)
        log = home / "log"
        with log.open("wb") as out:
            serving = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "pi_opensync",
                    "watch",
                    "--local",
                    "--port",
                    "0",
                    "--log-format",
                    "text",
                ],
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            wait_until(
                lambda: b"up to date" in log.read_bytes() and LINK.search(log.read_bytes()) is not None,
                "all of it",
            )
            found = LINK.search(log.read_bytes())
            assert found is not None, log.read_text()
            pages(browser, found[1].decode(), found[2].decode(), home)
            terminal(browser, home, environment)
        finally:
            serving.send_signal(signal.SIGINT)
            serving.wait()
            browser.close()


if __name__ == "__main__":
    main()
