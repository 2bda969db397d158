"""A server's process: its birth with an inherited lock, its end, and why it failed."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from luna.embedded.account import FREE_SPACE, OWN_FOLDER, PAUSE_SECONDS, Account, is_held, open_private, options_for
from luna.errors import MachineError

LOG_BYTES = 1_000_000
STOP_SECONDS = 20.0
# What a server says when trying again cannot help, and what to do about it.
LASTING_FAILURES = {
    "No space left on device": FREE_SPACE,
    "Disk quota exceeded": FREE_SPACE,
    "Permission denied": OWN_FOLDER,
    "Read-only file system": OWN_FOLDER,
    "error while loading shared libraries": "Install the named system library.",
    "could not load library": "Install the named system library.",
    "Bad file format reading the append only file": "Restore the folder from a backup, or repair the file with redis-check-aof --fix.",
    "incompatible with server": "Install the PostgreSQL version that wrote the data, or move the folder away.",
}


@dataclass(frozen=True)
class Launch:
    """What to execute, as whom, and what to say to it first."""

    command: list[str]
    account: Account | None
    standard_input: bytes = b""


def spawn(launch: Launch, *, lock: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own (Ctrl-C reaches Luna, which stops it in order); it holds ``lock`` until its last process is gone."""
    output = _open_log(log)
    try:
        process = subprocess.Popen(
            launch.command, stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=(lock,), start_new_session=True, **options_for(launch.account)
        )
    except OSError as exc:
        raise MachineError(f"a server's program cannot be executed: {exc.strerror}", value=launch.command[0], remedy="Install Luna anew.") from exc
    finally:
        os.close(output)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(process.pid).encode(), 0)
    _feed(process, launch.standard_input)
    # Reaps the process the moment it ends, also when it is killed: no zombie, and the lock tells the truth.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def end(lock_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    """Stop the server that holds the lock, at first kindly; return when no process of it lives.

    Raises:
        MachineError: it outlives even the last signal.
    """
    for kind in signals:
        deadline = time.monotonic() + STOP_SECONDS
        _signal(lock_path, kind)
        while time.monotonic() < deadline:
            if not is_held(lock_path):
                return
            time.sleep(PAUSE_SECONDS)
    raise MachineError("a server does not end", value=str(lock_path), remedy="End the process whose number stands in this file.")


def explain_failure(message: str, output: str, folder: Path) -> MachineError:
    """Return the error for a server that did not start, with the remedy where its last words name the cause."""
    lasting = next((line for line in output.splitlines() if is_lasting(line)), None)
    words = lasting or " ".join(output.split())[-500:]
    remedy = _lasting_remedy(words) or f"The server's log beside {folder} says more."
    return MachineError(f"{message}: {words}", field="data_folder", value=str(folder), remedy=remedy)


def is_lasting(output: str) -> bool:
    """Whether trying again cannot help."""
    return _lasting_remedy(output) is not None


def _lasting_remedy(output: str) -> str | None:
    return next((remedy for words, remedy in LASTING_FAILURES.items() if words in output), None)


def _feed(process: subprocess.Popen[bytes], words: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    # A server that is already dead shows in its log, not here.
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(words)


def _open_log(path: Path) -> int:
    descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
    if os.fstat(descriptor).st_size > LOG_BYTES:
        os.ftruncate(descriptor, 0)
    return descriptor


def _signal(lock_path: Path, kind: signal.Signals) -> None:
    pid = lock_path.read_text(encoding="utf-8")
    if pid and is_held(lock_path):
        with suppress(ProcessLookupError):
            os.kill(int(pid), kind)


ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGTERM and a closed terminal into SystemExit, so that ``with`` blocks end; a handler of somebody else's stays."""
    replaced = [kind for kind in ENDING if _in_main_thread() and signal.getsignal(kind) is signal.SIG_DFL]
    for kind in replaced:
        signal.signal(kind, _leave)
    try:
        yield
    finally:
        for kind in replaced:
            signal.signal(kind, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done: a second Ctrl-C must not leave half of the servers."""
    # A mask would not do: any other thread would still take the signal.
    arrived: list[int] = []
    kinds = (signal.SIGINT, *ENDING) if _in_main_thread() else ()
    before = {kind: signal.signal(kind, lambda number, _frame: arrived.append(number)) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    for number in arrived[:1]:
        signal.raise_signal(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
