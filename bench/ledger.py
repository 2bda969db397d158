"""Ledger of acknowledged requests, kept by the callers in a file outside of Luna.

Every line is synced to disk before the next.
"""

import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """An append-only file of acknowledgements; any thread may write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acknowledge(self, kind: str, **facts: Any) -> None:
        """Append an acknowledgement and sync it to disk."""
        # One write to a file opened for appending is never mixed with another thread's.
        os.write(
            self._file, json.dumps({"kind": kind, **facts}, separators=(",", ":")).encode() + b"\n"
        )
        os.fsync(self._file)

    def read(self, *kinds: str) -> list[Entry]:
        """Return the entries of these kinds (of all without any) in order."""
        with self._path.open(encoding="utf-8") as lines:
            return [
                entry for entry in map(json.loads, lines) if not kinds or entry["kind"] in kinds
            ]

    def close(self) -> None:
        os.close(self._file)
