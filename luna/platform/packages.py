"""Packages that hold data: downloaded as files, verified against a pinned hash, never installed."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from luna.energy.refusals import refuse
from luna.platform.private_folders import make_private
from luna.platform.retry import RetryPolicy

Progress = Callable[[int, int, str], None]

# pip itself asks an index again; a second run helps where it ended for another reason.
DOWNLOAD_RETRY = RetryPolicy(timedelta(seconds=1), tries=2)
_RAW_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)")
_PIP_VERSION = re.compile(r"^pip (\d+)\.(\d+)")
# Since 24.1 pip says in plain lines how far a download is.
_REPORTS_BYTES = (24, 1)


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned file of a package registry.

    ``purpose`` names its use to whoever lacks it.
    """

    name: str
    version: str
    filename: str
    sha256: str
    bytes: int
    purpose: str = "the demo's data"

    @property
    def requirement(self) -> str:
        """The line a requirements file holds for it."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def fetch_package(package: Package, folder: Path, *, progress: Progress | None = None) -> Path:
    """Return the package's file in ``folder``, downloading it where it is missing or damaged.

    Invariants: a file under the package's name in ``folder`` has the pinned hash; a broken download
    leaves none.

    Raises:
        MachineError: it is not there and cannot be downloaded, what came has another hash, or this
            machine has no pip.
    """
    path = folder / package.filename
    if path.is_file() and hash_file(path) == package.sha256:
        return path
    make_private(folder)
    # Beside its place, so that the last step is a rename: two processes that fetch at once only
    # waste work.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
        downloaded = _download(package, Path(temporary), progress or _ignore)
        digest = hash_file(downloaded) if downloaded.is_file() else None
        if digest != package.sha256:
            raise refuse(
                "package-changed",
                field="sha256",
                value=digest,
                file=package.filename,
                digest=package.sha256[:12],
            )
        downloaded.replace(path)
    return path


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(package: Package, folder: Path, progress: Progress) -> Path:
    pip = _find_pip(package, folder.parent)
    failure: str | None = None
    for attempt in DOWNLOAD_RETRY.attempts():
        time.sleep(DOWNLOAD_RETRY.pause(attempt - 1).total_seconds())
        failure = _run_pip(package, folder, pip=pip, progress=progress)
        if failure is None:
            return folder / package.filename
    remedy = (
        f"Connect this machine to the network once, or put {package.filename} into {folder.parent}."
    )
    if "No space left on device" in str(failure):
        remedy = "Free some space there."
    figures = {
        "purpose": package.purpose,
        "package": package.name,
        "version": package.version,
        "megabytes": round(package.bytes / 1e6),
    }
    raise refuse(
        "package-not-downloaded", field=str(folder.parent), why=failure, remedy=remedy, **figures
    )


def _find_pip(package: Package, cache: Path) -> list[str]:
    """Return the command that runs pip.

    The one of this environment, or else one on PATH, for an environment may do without.
    """
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    program = shutil.which("pip") or shutil.which("pip3")
    if program is None:
        figures = {
            "purpose": package.purpose,
            "package": package.name,
            "version": package.version,
            "file": package.filename,
        }
        raise refuse("pip-missing", field="PATH", folder=str(cache), **figures)
    return [program]


def _run_pip(package: Package, folder: Path, *, pip: list[str], progress: Progress) -> str | None:
    """Let pip download the file into ``folder``; return its last line if it failed."""
    requirements = folder / "requirements.txt"
    requirements.write_text(package.requirement + "\n", encoding="utf-8")
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--retries=2", "--timeout=20"]
    command += ["--progress-bar=raw"] if _reports_bytes(pip) else []
    command += ["--dest", str(folder), "--require-hashes", "--requirement", str(requirements)]
    # Partial downloads lie here too, and pip keeps no second copy: /tmp, or a home in it, may be
    # small.
    quiet = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}
    environment = os.environ | quiet | {"TMPDIR": str(folder)}
    progress(0, package.bytes, package.name)
    output = "pip said nothing"
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process,
        _ended(process),
    ):
        for line in process.stdout or ():
            if progress_line := _RAW_PROGRESS.match(line):
                progress(int(progress_line[1]), package.bytes, package.name)
            elif line.strip():
                output = line.strip()
    progress(package.bytes, package.bytes, package.name)
    return output if process.returncode else None


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    # An interrupted download must not outlive the command that asked for it.
    try:
        yield
    except BaseException:
        process.kill()
        raise


def _reports_bytes(pip: list[str]) -> bool:
    output = subprocess.run([*pip, "--version"], check=False, capture_output=True, text=True).stdout
    match = _PIP_VERSION.match(output)
    return match is not None and (int(match[1]), int(match[2])) >= _REPORTS_BYTES


def _ignore(_done: int, _total: int, _label: str) -> None:
    return
