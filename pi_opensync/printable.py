"""Text of a transcript or a file name, safe for a terminal: control characters are written out."""


def shown(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shown_path(path: bytes) -> str:
    return shown(path.decode("utf-8", "backslashreplace"))
