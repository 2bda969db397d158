"""A change to the product, told as the texts that are added to its files, and carried out on a copy
of the code.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What runs; docs and tests come along with a change and are not counted.
PRODUCT = ("luna", "services", "config")
_CATALOGUE = re.compile(r"luna/words/catalogue/\w+/")


@dataclass(frozen=True)
class Edit:
    """A text that a change adds to a file.

    Args:
        path: the file, from the root of the repository.
        text: what is added, whole lines.
        after: the line or lines that it follows, without their indents, found exactly once; None:
            the file is new.
        instead: the text takes their place.
        lists: it names a member in a registry: an import, or the member's line of the list.
    """

    path: str
    text: str
    after: str | None = None
    instead: bool = False
    lists: bool = False


@dataclass(frozen=True)
class Change:
    """What somebody adds: its edits, and a program that shows that it works and ends with an exit
    code of 0.
    """

    name: str
    edits: tuple[Edit, ...]
    proof: str

    @property
    def product_files(self) -> list[str]:
        """The files of the product in which it says something.

        What a topic of the catalogue says counts once, however many languages say it; a registry
        that gets no more than the new member's name does not count.
        """
        return sorted(
            {
                _CATALOGUE.sub("luna/words/catalogue/*/", edit.path)
                for edit in self.edits
                if edit.path.startswith(PRODUCT) and not edit.lists
            }
        )

    @property
    def registries(self) -> list[str]:
        """The files of the product in which it is listed by its name alone."""
        listing = {edit.path for edit in self.edits if edit.lists}
        return sorted(listing - set(self.product_files))


def carry_out(change: Change, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Copy the product into ``folder``, edit it as the change says and run the proof there.

    Raises:
        LookupError: the line that an edit follows is not there exactly once.
    """
    for name in PRODUCT:
        # What builds the pages is a hundred megabytes, of which nothing runs.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules"))
    apply_edits(change, folder)
    # What is compiled for the copy alone goes with the copy; what tests share stands behind it.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "LUNA_DATA_FOLDER": str(folder / "var"),
    }
    return subprocess.run(
        [sys.executable, "-c", change.proof],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def apply_edits(change: Change, folder: Path) -> None:
    """Edit the files below ``folder``; one that is not there is copied from the product first.

    Raises:
        LookupError: the line that an edit follows is not there exactly once.
    """
    for edit in change.edits:
        path = folder / edit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit.after is not None and not path.exists():
            shutil.copy(ROOT / edit.path, path)
        _apply(edit, path)


def _apply(edit: Edit, path: Path) -> None:
    if edit.after is None:
        path.write_text(edit.text)
        return
    lines = path.read_text().splitlines(keepends=True)
    stripped = [line.strip() for line in lines]
    wanted = edit.after.splitlines()
    places = [
        place for place in range(len(lines)) if stripped[place : place + len(wanted)] == wanted
    ]
    if len(places) != 1:
        raise LookupError(
            f"{edit.path}: the line {edit.after!r} stands there {len(places)} times, wanted once"
        )
    end = places[0] + len(wanted)
    start = places[0] if edit.instead else end
    lines[start:end] = [edit.text]
    path.write_text("".join(lines))
