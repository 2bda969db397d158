"""Files that commands leave behind."""

from contextlib import suppress
from pathlib import Path

from luna.errors import MachineError


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: who reads it sees the old one or the new one.

    Raises:
        MachineError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as exc:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise MachineError(f"cannot be written: {exc.strerror}", field=str(path), remedy="Free some space, or check who may write there.") from exc
