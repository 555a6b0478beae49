"""One line for a status bar, which asks for it every few seconds: little is loaded for it."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pi_opensync.address import normalise_url, state_folder
from pi_opensync.cli.booked import used
from pi_opensync.configuration import ENV_PREFIX, default_state_dir, file_in_use, read_file, stated
from pi_opensync.daemon.places import FOLDER, own_state
from pi_opensync.files import at_home
from pi_opensync.inspect.spending import total
from pi_opensync.model import SLOT_MS


def show() -> bool:
    """Print the line; False where the settings are such that they must be looked at with more care."""
    try:
        states = _states(os.environ)
    except (ValueError, TypeError):
        return False
    print(statusline(states, datetime.now().astimezone()))
    return True


def statusline(states: Sequence[Path], now: datetime) -> str:
    """What was used today and this week, as the states say that are kept of dashboards."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    everything = used(states, since=round(monday.timestamp() * 1000) - SLOT_MS)
    today, week = (
        total(one for one in everything if one.at >= begin.timestamp() * 1000) for begin in (midnight, monday)
    )
    tokens = today.prompt_tokens + today.completion_tokens
    return f"${today.cost:,.2f} today, ${week.cost:,.2f} this week, {tokens:,} tokens today"


def _states(env: Mapping[str, str]) -> list[Path]:
    """As `places.kept` finds them. Raises `ValueError` or `TypeError`."""
    in_file = read_file(file_in_use(env))
    chosen = stated(env, in_file, ENV_PREFIX + "STATE_DIR", "stateDir")
    folder = default_state_dir() if chosen is None else at_home(chosen).absolute()
    server = stated(env, in_file, ENV_PREFIX + "CONVEX_URL", "convexUrl")
    states = [] if server is None else [state_folder(folder, normalise_url(server))]
    return [*states, own_state(folder / FOLDER)]
