"""How often a task has begun: a line in a file for each time, whatever process it was."""

from pathlib import Path


def note_start(path: Path) -> int:
    """Note a start and return how many there have been."""
    with path.open("a", encoding="utf-8") as file:
        file.write("start\n")
    return count_starts(path)


def count_starts(path: Path) -> int:
    """Return how many starts there have been."""
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
