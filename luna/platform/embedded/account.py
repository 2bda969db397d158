"""Choose the account that runs the servers.

PostgreSQL refuses root, so root lends it an account without rights.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luna.energy.errors import FULL_DISK, MachineError
from luna.platform.embedded.binaries import REDIS_NAMES, Programs
from luna.platform.private_folders import make_private

DATA_ROOT = Path("/var/lib/luna")
CACHE_ROOT = Path("/var/cache/luna")
OWN_FOLDER = "Set LUNA_DATA_FOLDER to a folder that you may write to."
FREE_SPACE = "Free some space on this disk, or set LUNA_DATA_FOLDER to a folder on another one."


@dataclass(frozen=True)
class Account:
    """The uid and gid that the servers run under; None: those of this process."""

    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """Return the account for a data folder: its owner's, or an unprivileged one for root.

    None where this process is not root.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as exc:
        raise MachineError(
            "PostgreSQL refuses to run as root, and there is no account 'nobody'",
            remedy="Run Luna as an ordinary user.",
        ) from exc
    return Account(nobody.pw_uid, nobody.pw_gid)


def choose_home(folder: Path) -> Path:
    """Return ``folder`` for the servers' data, or a system folder where they cannot reach it.

    The permissions of the user's folders stay as they are.
    """
    if can_use(folder, account_for(folder)):
        return folder
    home = DATA_ROOT / secrets.token_hex(8)
    make_folder(home)
    for path in (DATA_ROOT, home):
        path.chmod(0o755)
    (home / "origin").write_text(f"{folder}\n", encoding="utf-8")
    return home


def make_reachable(programs: Programs, account: Account | None) -> Path:
    """Return the folder of the executables, or of a copy where ``account`` cannot read them."""
    if can_use(programs.folder, account):
        return programs.folder
    if not programs.trees:
        raise MachineError(
            "the servers' account cannot read these programs",
            value=str(programs.folder),
            remedy="Run Luna as an ordinary user.",
        )
    digest = hashlib.sha256()
    for program in sorted(programs.folder.iterdir()):
        digest.update(f"{program.name} {program.stat().st_size}\n".encode())
    for name in ("postgres", *REDIS_NAMES):
        if (program := programs.folder / name).exists():
            digest.update(program.read_bytes())
    copy = CACHE_ROOT / digest.hexdigest()[:16]
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        make_folder(unfinished)
        try:
            for tree in programs.trees:
                shutil.copytree(tree, unfinished / tree.relative_to(programs.base), symlinks=True)
            _open_to_readers(unfinished)
            unfinished.rename(copy)
        except OSError as exc:
            shutil.rmtree(unfinished, ignore_errors=True)
            # Another start may have finished the same copy first.
            if not copy.exists():
                raise folder_error(copy, exc) from exc
    return copy / programs.folder.relative_to(programs.base)


def can_use(folder: Path, account: Account | None) -> bool:
    """Whether ``account`` may enter ``folder``, all its parents included."""
    if account is None:
        return os.access(folder, os.X_OK)
    # Asked of the system rather than computed: access lists and mounts count too.
    return (
        subprocess.run(["test", "-x", folder], check=False, **options_for(account)).returncode == 0
    )


def options_for(account: Account | None) -> dict[str, Any]:
    """Return the options of ``subprocess`` that run a program as ``account``.

    Its files are private, and it gets none of the caller's PostgreSQL settings.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    identity = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    return {"cwd": "/", "umask": 0o077, "env": environment, **identity}


def make_folder(path: Path) -> None:
    """Create ``path`` with its parents.

    It is readable for the servers' account only as far as the umask allows.

    Raises:
        MachineError: names the folder and what to do.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise folder_error(path, exc) from exc


def make_own_folder(path: Path, *, holds_servers: bool = False) -> None:
    """Create ``path`` with its parents for this account alone, as ``make_private`` does.

    Raises:
        MachineError: names the folder and what to do.
    """
    try:
        make_private(path, holds_servers=holds_servers)
    except OSError as exc:
        raise folder_error(path, exc) from exc


def make_private_folder(path: Path, account: Account | None) -> None:
    """Create ``path`` for the servers' account alone."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    except OSError as exc:
        raise folder_error(path, exc) from exc


def folder_error(path: Path, cause: OSError) -> MachineError:
    """Return the error of a path that cannot be written, with a remedy by its cause."""
    remedy = FREE_SPACE if cause.errno in FULL_DISK else OWN_FOLDER
    return MachineError(
        f"cannot write here: {cause.strerror}", field="data_folder", value=str(path), remedy=remedy
    )


def _open_to_readers(tree: Path) -> None:
    for path in (CACHE_ROOT, tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        is_executable = path.is_dir() or os.access(path, os.X_OK)
        readable = 0o055 if is_executable else 0o044
        path.chmod(path.stat().st_mode | readable)


WAIT_SECONDS = 60.0
PAUSE_SECONDS = 0.02


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner may read.

    Below a user's folder root leaves it to that user.
    """
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as exc:
        raise folder_error(path, exc) from exc
    return descriptor


def open_lock(path: Path) -> int:
    """Open a lock without taking it."""
    return open_private(path, os.O_RDWR)


def take(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Take an open lock if it is free; return whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether any process holds the lock."""
    descriptor = open_lock(path)
    try:
        return not take(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock; wait for others that start or stop the same servers.

    Raises:
        MachineError: another process holds it for longer than any start takes.
    """
    descriptor = open_lock(path)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not take(descriptor):
            if time.monotonic() > deadline:
                raise MachineError(
                    f"another start has held this lock for {WAIT_SECONDS:.0f} s",
                    value=str(path),
                    remedy="End that process and start again.",
                )
            time.sleep(PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)
