"""The change that pi's edit tool notes in its result's `details.diff`: a sign, a line number, the line."""

import re

from pi_opensync.privacy.cleaner import Cleaner

_LINE = re.compile(r"([+\- ] *(?:\d+|\.\.\.)(?: |\Z))(.*)", re.DOTALL)


def change(details: object, clean: Cleaner) -> str | None:
    """The change, cleaned; None where there is none, or where it can not be cleaned line by line.

    Numbers between the lines would hide a secret of several lines, so the text is cleaned without them: as
    it was, as it is, and as it stands there. Raises what `clean` raises.
    """
    diff = details.get("diff") if isinstance(details, dict) else None
    if not isinstance(diff, str) or not diff:
        return None
    found = [_LINE.fullmatch(line) for line in diff.removesuffix("\n").split("\n")]
    lines = [(line[1], line[2]) for line in found if line is not None]
    if len(lines) != len(found):
        return None
    cleaned = clean("\n".join(text for _lead, text in lines)).split("\n")
    if len(cleaned) != len(lines):
        return None
    for sign in "+-":
        side = "\n".join(
            text for text, (lead, _) in zip(cleaned, lines, strict=True) if not lead.startswith(sign)
        )
        if clean(side) != side:
            return None
    return clean("\n".join(lead + text for (lead, _), text in zip(lines, cleaned, strict=True)))
