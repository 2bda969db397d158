"""What Luna is delivered with: the libraries of ``locks/core.txt`` and of the pages, each with its licence."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Library(NamedTuple):
    """One library, as it is locked."""

    name: str
    version: str
    licence: str


def list_libraries() -> list[Library]:
    """Return Python's libraries as installed here; what belongs to another system is left out."""
    names = dict.fromkeys(re.findall(r"^([a-z0-9][a-z0-9.-]*)==", (ROOT / "locks" / "core.txt").read_text(encoding="utf-8"), re.MULTILINE))
    return [Library(name, found["Version"], _licence(found)) for name, found in _installed(names)]


def list_scripts() -> list[Library]:
    """Return what the pages' scripts are built of."""
    folder = ROOT / "services" / "api" / "frontend"
    named = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name: locked[f"node_modules/{name}"] for name in named}
    return [Library(name, package["version"], package["license"]) for name, package in found.items()]


def _installed(names: dict[str, None]) -> Iterator[tuple[str, PackageMetadata]]:
    for name in names:
        try:
            yield name, metadata(name)
        except PackageNotFoundError:
            continue


def _licence(found: PackageMetadata) -> str:
    """Return the licence's expression; packages of an older form name it as a class or in words."""
    if expression := found.get("License-Expression"):
        return str(expression)
    classes = [line.split(" :: ")[-1] for line in found.get_all("Classifier") or [] if line.startswith("License ::")]
    return "; ".join(classes) or str(found.get("License", "")).partition("\n")[0]
