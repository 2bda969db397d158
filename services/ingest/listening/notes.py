"""What the listening process has to know of the time before it started, kept in a small file."""

import json
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from luna.errors import MachineError


class Notes:
    """Values by name, on disk when ``write`` returns. One process uses a file, its threads may share it; one that cannot be read counts as empty.

    Raises:
        MachineError: the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._values = self._load()
        self.write({})

    def read(self, name: str) -> Any:
        """Return what is noted under a name, None where nothing is."""
        return self._values.get(name)

    def instant(self, name: str) -> datetime | None:
        """Return an instant that is noted."""
        noted = self.read(name)
        return datetime.fromisoformat(noted) if isinstance(noted, str) else None

    def write(self, values: dict[str, Any]) -> None:
        """Note values that JSON can say; the others stay.

        Raises:
            MachineError: the file cannot be written.
        """
        with self._lock:
            self._values |= values
            self._save()

    def _save(self) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(self._values, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as exc:
            remedy = "Make room, make the folder writable for Luna, or name another with LUNA_DATA_FOLDER."
            raise MachineError(f"notes on listening cannot be written: {exc.strerror}", field="data_folder", value=str(self._path), remedy=remedy) from exc

    def _load(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}
