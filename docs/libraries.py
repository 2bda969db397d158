"""Libraries delivered with Luna, each with its licence.

They are those of ``locks/core.txt`` and of the pages.
"""

import json
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
_LINUX = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "python_version": "3.11",
    "python_full_version": "3.11.9",
}


class Library(NamedTuple):
    """One library, as it is locked."""

    name: str
    version: str
    licence: str


def list_libraries() -> list[Library]:
    """Return Python's libraries on Linux, as installed here."""
    lock = (
        (ROOT / "locks" / "core.txt").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    )
    asked = [Requirement(line.partition(" --hash")[0].strip()) for line in lock if line]
    names = dict.fromkeys(
        each.name for each in asked if each.marker is None or each.marker.evaluate(_LINUX)
    )
    return [Library(name, found.version, _licence(found)) for name, found in _installed(names)]


def list_scripts() -> list[Library]:
    """Return what the pages' scripts are built of."""
    folder = ROOT / "services" / "api" / "frontend"
    named = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name: locked[f"node_modules/{name}"] for name in named}
    return [
        Library(name, package["version"], package["license"]) for name, package in found.items()
    ]


def _installed(names: dict[str, None]) -> Iterator[tuple[str, Distribution]]:
    for name in names:
        try:
            yield name, distribution(name)
        except PackageNotFoundError:
            continue


def _licence(package: Distribution) -> str:
    """Return the licence's expression.

    Packages of an older form name it as a class or in words, some in its text alone.
    """
    found = package.metadata
    if expression := found.get("License-Expression"):
        return str(expression)
    classes = [
        line.split(" :: ")[-1]
        for line in found.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    text = package.read_text(f"licenses/{found.get('License-File', 'LICENSE')}") or ""
    return (
        "; ".join(classes)
        or str(found.get("License", "")).partition("\n")[0]
        or text.partition("\n")[0]
    )
