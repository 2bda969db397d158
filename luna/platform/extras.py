"""Install optional libraries of a few commands with locked hashes, once somebody has agreed.

Only a checkout's own virtual environment is changed, because it has the lock files. An installed
wheel, an image and the system's Python are not; there an error names what is missing.
"""

import fcntl
import importlib
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# Takes the number of steps done, that of all steps, and the current step.
ShowInstallation = Callable[[int, int, str], None]
# A household's line, megabytes a second; a slow one takes longer.
USUAL_SPEED = 2.0
# pip prints such a line as it begins with a package.
_PACKAGE_LINE = re.compile(r"^Collecting ([\w.-]+)")
_LOCKED = re.compile(r"^([\w.-]+)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of ``pyproject.toml`` outside ``core``; ``locks/extras`` holds its versions.

    Args:
        name: in ``pyproject.toml``.
        purpose: what needs it, as the subject of a sentence.
        modules: all importable where it is installed.
        megabytes: that it adds to an environment of ``core``.
        download: megabytes that are fetched, as far as a mirror serves the usual files.
        scripts: of the checkout that install more of it; each gets the path of the Python.
    """

    name: str
    purpose: str
    modules: tuple[str, ...]
    megabytes: int
    download: int
    scripts: tuple[str, ...] = ()

    def find_missing(self) -> list[str]:
        """Return its modules that are not installed."""
        return [name for name in self.modules if find_spec(name) is None]


LAB = Extra("lab", "the camera lab", ("optuna", "ortools"), megabytes=85, download=30)
DRAWING = Extra(
    "pictures", "a picture as PNG or PDF", ("svglib", "reportlab"), megabytes=6, download=3
)
MDNS = Extra(
    "mdns", "finding devices that announce themselves", ("zeroconf",), megabytes=5, download=2
)
QDRANT = Extra("qdrant", "a Qdrant server", ("qdrant_client",), megabytes=25, download=8)
# PyTorch has a lock of its own: locks/torch.txt. Its build for a CPU alone is 190 MB.
TRAINING = Extra(
    "training",
    "training networks",
    ("torch", "tensorboard"),
    megabytes=900,
    download=220,
    scripts=("infra/install-torch",),
)
EXTRAS = {extra.name: extra for extra in (TRAINING, LAB, DRAWING, MDNS, QDRANT)}


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """The target of an installation.

    Args:
        checkout: the folder that contains ``luna``.
        python: the executable.
        libraries: its site-packages.
        own: whether it is a virtual environment.
    """

    checkout: Path
    python: str
    libraries: Path
    own: bool

    @classmethod
    def of_this_process(cls) -> "PythonEnvironment":
        """Return the environment of the running Python."""
        return cls(
            Path(__file__).resolve().parents[2],
            sys.executable,
            Path(sysconfig.get_path("purelib")),
            own=sys.prefix != sys.base_prefix,
        )

    def lock_of(self, extra: Extra) -> Path:
        """Return the path of an extra's lock file in a checkout."""
        return self.checkout / "locks" / "extras" / f"{extra.name}.txt"

    def find_obstacle(self, extra: Extra) -> str | None:
        """Return the obstacle to installing an extra here, or None."""
        if not self.own or not self.lock_of(extra).is_file():
            return "only a checkout's own environment is added to"
        if not os.access(self.libraries, os.W_OK):
            return f"{self.libraries} cannot be written"
        return None

    def installers(self, extra: Extra) -> list[list[str]]:
        """Return the commands that install an extra.

        Without a network the first one fails quickly.
        """
        pip = [
            self.python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--no-compile",
            "--retries=1",
            "--timeout=20",
        ]
        # Its dependencies in core are installed already.
        locked = [
            *pip,
            "--progress-bar=off",
            "--no-deps",
            "--require-hashes",
            "--requirement",
            str(self.lock_of(extra)),
        ]
        scripts = [[str(self.checkout / script), self.python] for script in extra.scripts]
        return [locked, *scripts]

    def remover(self, extra: Extra) -> list[str]:
        """Return the command that removes an extra's libraries, without those of others."""
        needed_elsewhere: set[str] = set()
        for installed in EXTRAS.values():
            if installed != extra and not installed.find_missing():
                needed_elsewhere.update(self._locked(installed))
        names = list(self._locked(extra))
        if extra.scripts:
            names.append("torch")
        removed = [name for name in names if name not in needed_elsewhere]
        return [
            self.python,
            "-m",
            "pip",
            "uninstall",
            "--disable-pip-version-check",
            "--no-input",
            "--yes",
            *removed,
        ]

    def _locked(self, extra: Extra) -> list[str]:
        lock = self.lock_of(extra)
        return _LOCKED.findall(lock.read_text(encoding="utf-8")) if lock.is_file() else []


def require_extra(extra: Extra, environment: PythonEnvironment | None = None) -> None:
    """Raise where an extra is missing; nothing is installed by this.

    Args:
        extra: about to be imported.
        environment: where it would be installed; default: this process's.

    Raises:
        MachineError: it is missing: somebody has to agree first, or it cannot be installed here.
    """
    missing_modules = extra.find_missing()
    if not missing_modules:
        return
    # Imported here, so that listing the commands loads no models.
    from luna.energy.refusals import refuse

    place = environment or PythonEnvironment.of_this_process()
    _refuse_elsewhere(extra, place)
    raise refuse(
        "extra-not-agreed",
        field="extra",
        value=extra.name,
        extra=extra.name,
        purpose=extra.purpose,
        names=tuple(missing_modules),
        download=extra.download,
        megabytes=extra.megabytes,
    )


def estimate_minutes(extra: Extra) -> int:
    """Return the minutes of an installation on a usual line."""
    return max(1, round(extra.download / USUAL_SPEED / 60))


def install_extra(
    extra: Extra,
    environment: PythonEnvironment | None = None,
    *,
    progress: ShowInstallation = lambda *_: None,
) -> None:
    """Install an extra that is missing, one process at a time; somebody has agreed to it.

    Raises:
        MachineError: it cannot be installed here, or the installation failed.
    """
    place = environment or PythonEnvironment.of_this_process()
    if not extra.find_missing():
        return
    _refuse_elsewhere(extra, place)
    with _alone(place.libraries / ".luna-extras.lock"):
        if extra.find_missing():
            _install(extra, place, progress)


def remove_extra(extra: Extra, environment: PythonEnvironment | None = None) -> None:
    """Remove an extra's libraries.

    Raises:
        MachineError: this environment is not changed, or pip failed.
    """
    from luna.energy.refusals import refuse

    place = environment or PythonEnvironment.of_this_process()
    _refuse_elsewhere(extra, place)
    with _alone(place.libraries / ".luna-extras.lock"):
        result = subprocess.run(
            place.remover(extra),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    importlib.invalidate_caches()
    if result.returncode:
        why = result.stderr.strip().rpartition("\n")[2] or "pip said nothing"
        raise refuse("extra-not-removed", field="extra", value=extra.name, why=why)


def _refuse_elsewhere(extra: Extra, place: PythonEnvironment) -> None:
    from luna.energy.refusals import refuse

    reason = place.find_obstacle(extra)
    if reason is None:
        return
    names = tuple(extra.find_missing() or extra.modules)
    raise refuse(
        "extra-missing",
        field="extra",
        value=extra.name,
        extra=extra.name,
        purpose=extra.purpose,
        names=names,
        why=reason,
    )


def _install(extra: Extra, place: PythonEnvironment, progress: ShowInstallation) -> None:
    from luna.energy.refusals import refuse

    packages = _LOCKED.findall(place.lock_of(extra).read_text(encoding="utf-8"))
    total = len(packages) + len(extra.scripts)
    done = 0
    progress(done, total, extra.name)
    for command in place.installers(extra):
        lines = []
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            for line in process.stdout or ():
                lines.append(line)
                package = _PACKAGE_LINE.match(line)
                if package is not None:
                    done = min(done + 1, total)
                    progress(done, total, package[1])
        if process.returncode:
            output = "".join(lines)
            message = output.strip().rpartition("\n")[2] or f"{Path(command[0]).name} said nothing"
            if "No space left on device" in output:
                remedy = "Free some space there."
            else:
                remedy = "Connect this machine to the network once and call it again."
            figures = {
                "purpose": extra.purpose,
                "names": tuple(extra.modules),
                "megabytes": extra.megabytes,
            }
            raise refuse(
                "extra-not-installed",
                field="extra",
                value=extra.name,
                why=message,
                remedy=remedy,
                **figures,
            )
    progress(total, total, extra.name)
    importlib.invalidate_caches()
    missing_modules = extra.find_missing()
    if missing_modules:
        raise refuse(
            "extra-not-found", field="extra", value=extra.name, names=tuple(missing_modules)
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
