"""The home folder of a pi that a test drives: its configuration, its environment, its transcripts."""

import json
from pathlib import Path
from typing import Any

PROVIDER = "fake"
MODEL = "fake-1"
OTHER_MODEL = "fake-2"


def agent_dir(home: Path) -> Path:
    return home / ".pi/agent"


def session_files(home: Path) -> list[Path]:
    """Give the transcripts under pi's default sessions folder, oldest name first."""
    return sorted(agent_dir(home).glob("sessions/**/*.jsonl"), key=lambda path: path.name)


def environment(home: Path, node: Path) -> dict[str, str]:
    # Built from nothing: no API key, proxy or pi setting of this machine reaches the process.
    return {
        "HOME": str(home),
        "PATH": f"{node.parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PI_CODING_AGENT_DIR": str(agent_dir(home)),
        "PI_OFFLINE": "1",
        "PI_TELEMETRY": "0",
        "NODE_COMPILE_CACHE": str(node.parents[1] / "tmp" / "compiled"),  # compiled once for all
    }


def write_agent_dir(home: Path, model_url: str) -> None:
    """Declare the stub to pi, and turn off what would make a run depend on lengths and chance."""
    folder = agent_dir(home)
    folder.mkdir(parents=True, exist_ok=True)
    provider = {
        "baseUrl": model_url,
        "api": "openai-completions",
        "apiKey": "x",
        "models": [_model(MODEL), _model(OTHER_MODEL)],
    }
    (folder / "models.json").write_text(json.dumps({"providers": {PROVIDER: provider}}))
    settings = {
        "compaction": {"enabled": False, "keepRecentTokens": 1},
        "retry": {"enabled": False},
    }
    (folder / "settings.json").write_text(json.dumps(settings))


def _model(model_id: str) -> dict[str, Any]:
    return {
        "id": model_id,
        "name": model_id,
        "reasoning": True,
        "input": ["text", "image"],
        "contextWindow": 200_000,
        "maxTokens": 8_000,
        "cost": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
    }
