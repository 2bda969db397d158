"""Installs optional libraries that only a few commands need, with locked hashes, at the first use of such a command.

Only a checkout's own virtual environment is changed, because it has the lock files. An installed wheel, an image and the system's Python are not; there an
error names what is missing.
"""

import fcntl
import importlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of ``pyproject.toml`` outside ``core``; ``locks/extras`` holds its versions.

    Args:
        name: in ``pyproject.toml``.
        purpose: what needs it, as the subject of a sentence.
        modules: all importable where it is installed.
        megabytes: that it adds to an environment of ``core``.
        scripts: of the checkout that install more of it; each gets the path of the Python.
    """

    name: str
    purpose: str
    modules: tuple[str, ...]
    megabytes: int
    scripts: tuple[str, ...] = ()

    def find_missing(self) -> list[str]:
        """Return its modules that are not installed."""
        return [name for name in self.modules if find_spec(name) is None]


LAB = Extra("lab", "the camera lab", ("optuna", "ortools"), 85)
DRAWING = Extra("pictures", "a picture as PNG or PDF", ("svglib", "reportlab"), 6)
MDNS = Extra("mdns", "finding devices that announce themselves", ("zeroconf",), 5)
QDRANT = Extra("qdrant", "a Qdrant server", ("qdrant_client",), 25)
# PyTorch has a lock of its own: locks/torch.txt.
TRAINING = Extra("training", "training networks", ("torch", "tensorboard"), 900, scripts=("infra/install-torch",))


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
        return cls(Path(__file__).resolve().parents[2], sys.executable, Path(sysconfig.get_path("purelib")), own=sys.prefix != sys.base_prefix)

    def lock_of(self, extra: Extra) -> Path:
        """Return the path of an extra's lock file in a checkout."""
        return self.checkout / "locks" / "extras" / f"{extra.name}.txt"

    def why_not(self, extra: Extra) -> str | None:
        """Return why extras cannot be installed here; None: they can."""
        if not self.own or not self.lock_of(extra).is_file():
            return "only a checkout's own environment is added to"
        if not os.access(self.libraries, os.W_OK):
            return f"{self.libraries} cannot be written"
        return None

    def installers(self, extra: Extra) -> list[list[str]]:
        """Return the commands that install an extra. Without a network the first one fails quickly."""
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--retries=1", "--timeout=20"]
        # Its dependencies in core are installed already.
        locked = [*pip, "--no-deps", "--require-hashes", "--requirement", str(self.lock_of(extra))]
        return [locked, *([str(self.checkout / script), self.python] for script in extra.scripts)]


def _log_line(line: str) -> None:
    log.info(line)


class _Notice:
    """The callback for the line that announces an installation."""

    say: Callable[[str], None] = staticmethod(_log_line)


def tell_extras(say: Callable[[str], None] | None) -> None:
    """Set the callback for the line before an installation; None: it is logged, as by default."""
    _Notice.say = staticmethod(say or _log_line)


def require_extra(extra: Extra, environment: PythonEnvironment | None = None) -> None:
    """Make an extra importable: install it where it is missing, one process at a time.

    Args:
        extra: about to be imported.
        environment: the target; default: this process's.

    Raises:
        MachineError: it is missing and cannot be installed here.
    """
    missing = extra.find_missing()
    if not missing:
        return
    # Imported here, so that listing the commands loads no models.
    from luna.energy.refusals import refuse

    place = environment or PythonEnvironment.of_this_process()
    reason = place.why_not(extra)
    if reason is not None:
        raise refuse("extra-missing", field="extra", value=extra.name, extra=extra.name, purpose=extra.purpose, names=tuple(missing), why=reason)
    with _alone(place.libraries / ".luna-extras.lock"):
        if extra.find_missing():
            _Notice.say(f"Installing what {extra.purpose} needs ({extra.megabytes} MB), once …")
            _install(extra, place)


def _install(extra: Extra, place: PythonEnvironment) -> None:
    from luna.energy.refusals import refuse

    for command in place.installers(extra):
        result = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode:
            message = result.stdout.strip().rpartition("\n")[2] or f"{Path(command[0]).name} said nothing"
            full = "No space left on device" in result.stdout
            remedy = "Free some space there." if full else "Connect this machine to the network once and call it again."
            figures = {"purpose": extra.purpose, "names": tuple(extra.modules), "megabytes": extra.megabytes}
            raise refuse("extra-not-installed", field="extra", value=extra.name, why=message, remedy=remedy, **figures)
    importlib.invalidate_caches()
    missing = extra.find_missing()
    if missing:
        raise refuse("extra-not-found", field="extra", value=extra.name, names=tuple(missing))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
