"""Start and end a server's process, and explain why it failed.

The process inherits an open lock, which stays taken until its last child has ended.
"""

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

import structlog

from luna.energy.errors import MachineError
from luna.platform.embedded.account import (
    FREE_SPACE,
    OWN_FOLDER,
    PAUSE_SECONDS,
    Account,
    is_locked,
    open_private,
    options_for,
)

LOG_BYTES = 1_000_000
STOP_SECONDS = 20.0
# A server that writes its checkpoint on a busy disk works all the time: the next signal is sent
# after so many checks even so.
MOST_LOOKS = 4
SOON_SECONDS = 1.0
KILLED_SECONDS = 60.0
# Linux shows processes here; other systems lack the folder, and no work is noticed.
PROCESSES = Path("/proc")
# A server's messages of faults that another try cannot repair, with the remedy.
LASTING_FAILURES = {
    "No space left on device": FREE_SPACE,
    "Disk quota exceeded": FREE_SPACE,
    "Permission denied": OWN_FOLDER,
    "Read-only file system": OWN_FOLDER,
    "error while loading shared libraries": "Install the named system library.",
    "could not load library": "Install the named system library.",
    "Bad file format reading the append only file": (
        "Restore the folder from a backup, or repair the file with valkey-check-aof --fix."
    ),
    "incompatible with server": (
        "Install the PostgreSQL version that wrote the data, or move the folder away."
    ),
}


log = structlog.get_logger("luna.embedded")


@dataclass(frozen=True)
class Launch:
    """A program to execute, its account, and the input that it gets first."""

    command: list[str]
    account: Account | None
    standard_input: bytes = b""


def spawn(launch: Launch, *, lock: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a server, which holds ``lock`` until its last process is gone.

    It runs in a session of its own: Ctrl-C reaches Luna alone, which stops the server in order.
    """
    output = open_private(log, os.O_WRONLY | os.O_APPEND)
    if os.fstat(output).st_size > LOG_BYTES:
        os.ftruncate(output, 0)
    # A signal between the start and the number's writing would leave a server that nobody can end.
    with uninterrupted():
        try:
            process = subprocess.Popen(
                launch.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
                **options_for(launch.account),
            )
        except OSError as exc:
            raise MachineError(
                f"a server's program cannot be executed: {exc.strerror}",
                value=launch.command[0],
                remedy="Install Luna anew.",
            ) from exc
        finally:
            os.close(output)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(process.pid).encode(), 0)
        assert process.stdin is not None  # noqa: S101 - asked for above
        # A server that is already dead shows in its log, not here.
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(launch.standard_input)
        # Reaps the process as soon as it ends, also when it is killed, so that no zombie remains.
        threading.Thread(target=process.wait, daemon=True).start()
    return process


def end(
    lock_path: Path, signals: tuple[signal.Signals, ...], *, patience: float = STOP_SECONDS
) -> None:
    """Stop the server that holds the lock, and return when none of its processes lives.

    Args:
        lock_path: the lock of all its processes; the file contains the server's pid.
        signals: to send, the gentlest first; SIGKILL follows the last.
        patience: seconds without a sign of work after which the next signal is sent.

    Raises:
        MachineError: a process survives SIGKILL; the message has the states of those left.
    """
    for kind in signals:
        _signal(lock_path, kind)
        if _has_ended(lock_path, patience):
            return
    survivors = _family(lock_path)
    log.warning(
        "server does not end and is killed",
        lock=str(lock_path),
        states=[_state_of(pid) for pid in survivors],
    )
    for pid in survivors:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # A process that waits for a disk receives SIGKILL only once the disk has answered.
    if not _wait_for_release(lock_path, KILLED_SECONDS):
        states = ", ".join(_state_of(pid) for pid in _family(lock_path))
        states = states or "no process that can be seen"
        remedy = "Look at the disk that it waits for, or restart this machine."
        raise MachineError(
            f"a server outlives its killing: {states}", value=str(lock_path), remedy=remedy
        )


def _has_ended(lock_path: Path, patience: float) -> bool:
    """Return whether the server ends in time; one that still works gets more of it."""
    # Nearly every server does soon, without a search through the machine's processes.
    if _wait_for_release(lock_path, min(SOON_SECONDS, patience)):
        return True
    work = _work_of(_family(lock_path))
    for _ in range(MOST_LOOKS):
        if _wait_for_release(lock_path, patience):
            return True
        before = work
        work = _work_of(_family(lock_path))
        if work == before:
            return False
    return False


def _wait_for_release(lock_path: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_locked(lock_path):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _family(lock_path: Path) -> list[int]:
    """Return the server's process and those it started, as far as this machine shows them."""
    pid = int(lock_path.read_text(encoding="utf-8") or 0)
    children = []
    for path in PROCESSES.glob("[0-9]*/stat"):
        parent_pid = _stat(path)[1:2]
        if parent_pid == [str(pid)]:
            children.append(int(path.parent.name))
    return [pid, *children] if pid and is_locked(lock_path) else []


def _work_of(pids: list[int]) -> int:
    """Return the CPU time that these processes have taken, in the system's ticks."""
    ticks = 0
    for pid in pids:
        ticks += sum(int(field) for field in _stat(PROCESSES / str(pid) / "stat")[11:13])
    return ticks


def _state_of(pid: int) -> str:
    fields = _stat(PROCESSES / str(pid) / "stat")
    return f"{pid} {fields[0]}" if fields else f"{pid} unknown"


def _stat(path: Path) -> list[str]:
    """Return the fields of a process in /proc from its state on, empty without any."""
    try:
        # The program's name stands before it, in brackets, and may hold anything.
        return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def explain_failure(message: str, output: str, folder: Path) -> MachineError:
    """Return the error for a server that did not start, with a remedy for known causes."""
    lasting = next((line for line in output.splitlines() if is_lasting(line)), None)
    words = lasting or " ".join(output.split())[-500:]
    remedy = _lasting_remedy(words) or f"The server's log beside {folder} says more."
    return MachineError(
        f"{message}: {words}", field="data_folder", value=str(folder), remedy=remedy
    )


def is_lasting(output: str) -> bool:
    """Whether trying again cannot help."""
    return _lasting_remedy(output) is not None


def _lasting_remedy(output: str) -> str | None:
    return next((remedy for words, remedy in LASTING_FAILURES.items() if words in output), None)


def _signal(lock_path: Path, kind: signal.Signals) -> None:
    pid = lock_path.read_text(encoding="utf-8")
    if pid and is_locked(lock_path):
        with suppress(ProcessLookupError):
            os.kill(int(pid), kind)


ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGTERM and a closed terminal into SystemExit, so that ``with`` blocks end.

    Handlers that somebody has set before stay.
    """
    replaced = []
    if _in_main_thread():
        replaced = [kind for kind in ENDING if signal.getsignal(kind) is signal.SIG_DFL]
    for kind in replaced:
        signal.signal(kind, _leave)
    try:
        yield
    finally:
        for kind in replaced:
            signal.signal(kind, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done.

    A second Ctrl-C must not leave half of the servers.
    """
    # A mask would not do: any other thread would still take the signal.
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    kinds = (signal.SIGINT, *ENDING) if _in_main_thread() else ()
    before = {kind: signal.signal(kind, note) for kind in kinds}
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
