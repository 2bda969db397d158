"""What was acknowledged, line by line, each on the disk before the next: kept by the callers, in a file that Luna never sees."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """An append-only file of acknowledgements; any thread may write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def acknowledge(self, kind: str, **facts: Any) -> None:
        """Write down what was acknowledged just now."""
        line = json.dumps({"kind": kind, **facts}, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
            os.fsync(self._file)

    def read(self) -> list[Entry]:
        """Return all entries, the first one first."""
        return list(_read_lines(self._path))

    def close(self) -> None:
        os.close(self._file)


def _read_lines(path: Path) -> Iterator[Entry]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
