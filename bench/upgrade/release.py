"""The release before, and an owner's copy of the repository, which goes from it to this one and
back.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What a make above hands down, and settings of whoever starts this: an owner's shell has neither.
NOT_HANDED_DOWN = re.compile("LUNA_|COMPOSE_|MAKE|MFLAGS|VIRTUAL_ENV|PYTHONPATH")
LONGEST = 2400


def find_release_before() -> str:
    """Return the newest tag before this commit; where there is none, the commit before."""
    return (
        run(
            ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"],
            ROOT,
            check=False,
        ).strip()
        or "HEAD^"
    )


def resolve(reference: str) -> str:
    """Return the id of a commit.

    Raises:
        RuntimeError: there is none of that name.
    """
    return run(["git", "rev-parse", "--verify", f"{reference}^{{commit}}"], ROOT).strip()


@dataclass(frozen=True)
class Copy:
    """A copy of the repository in ``folder``.

    ``environment`` is what its commands see beside the usual.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, environment: Mapping[str, str] | None = None) -> "Copy":
        """Return a new copy of what is committed."""
        run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(folder)], ROOT)
        return cls(folder, environment or {})

    def check_out(self, commit: str) -> None:
        """Have the files of a commit, as ``git pull`` or ``git checkout`` leaves them."""
        self.run("git", "checkout", "--quiet", "--detach", commit)

    def run(self, *words: str, check: bool = True) -> str:
        """Return what a command says, run in this copy.

        Raises:
            RuntimeError: it fails; with its last words.
        """
        return run(words, self.folder, self.environment, check=check)

    @property
    def full_environment(self) -> dict[str, str]:
        """What a process of this copy sees."""
        return plain_environment() | dict(self.environment)


def plain_environment() -> dict[str, str]:
    """Return this process's environment without what an owner's shell has not."""
    return {name: value for name, value in os.environ.items() if not NOT_HANDED_DOWN.match(name)}


def run(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    check: bool = True,
) -> str:
    """Return what a program says on standard output.

    Raises:
        RuntimeError: it fails; with its last words.
    """
    environment = plain_environment() | dict(environment or {})
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode:
        raise RuntimeError(
            f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n"
            f"{done.stderr[-4000:]}"
        )
    return done.stdout


def say(words: str) -> None:
    """Tell whoever waits what is being done."""
    print(words, file=sys.stderr, flush=True)
