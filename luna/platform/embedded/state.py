"""Stores what embedded servers keep between starts: data folder, password and ports."""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from luna.energy.errors import MachineError
from luna.platform.embedded.account import choose_home, folder_error, open_private

HOST = "127.0.0.1"
RESTORE = (
    "Restore it from a backup (it holds the password of the data beside it), or move the "
    "folder away to begin anew."
)


@dataclass(frozen=True)
class State:
    """The stored state of a folder of servers.

    Readable by its owner alone, because it holds the password.
    """

    home: str
    password: str
    ports: Mapping[str, int] = field(default_factory=dict)


def load_state(folder: Path) -> State:
    """Load the state; a new folder gets a new password.

    Raises:
        MachineError: the file is damaged or may not be read.
    """
    path = _state_path(folder)
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as exc:
        # The file is written before the first server's data, so it was deleted.
        if (folder / "postgres").exists():
            raise MachineError(
                "this file of the embedded servers is missing", value=str(path), remedy=RESTORE
            ) from exc
        state = State(home=str(choose_home(folder)), password=secrets.token_urlsafe(24))
        save_state(folder, state)
        return state
    except (ValueError, TypeError) as exc:
        raise MachineError(
            "this file of the embedded servers is damaged", value=str(path), remedy=RESTORE
        ) from exc
    except OSError as exc:
        raise folder_error(path, exc) from exc


def has_embedded_data(folder: Path) -> bool:
    """Return whether embedded servers have ever run on this folder."""
    return _state_path(folder).exists()


def save_state(folder: Path, state: State) -> None:
    """Write the state atomically."""
    path = _state_path(folder)
    unfinished = path.with_suffix(".new")
    try:
        with os.fdopen(
            open_private(unfinished, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8"
        ) as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError as exc:
        raise folder_error(path, exc) from exc


def choose_port(remembered: int | None) -> int:
    """Return the stored port where it is free, else a free one."""
    return remembered if remembered is not None and _bind(remembered) else _bind(0)


def _bind(port: int) -> int:
    """Return the port if a server could listen on it (0: any), else 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def _state_path(folder: Path) -> Path:
    return folder / "servers.json"
