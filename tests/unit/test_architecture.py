"""Compare the map of docs/architecture.md with the tree and the layers that are checked."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs/architecture.md"
LAYERS = ROOT / "docs/images/layers.svg"
INDENT = 2


def read_map() -> list[str]:
    """Return the folders and files of the map, as paths."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    block = re.search(r"^```\n(luna/.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    paths: list[str] = []
    parents: list[str] = []
    for line in block.group(1).splitlines():
        depth = (len(line) - len(line.lstrip())) // INDENT
        names = re.match(r"\s*((?:\S+/ ?)+|\S+)", line)
        assert names is not None
        folder = "".join(parents[:depth])
        for name in names.group(1).split():
            paths.append(folder + name)
            parents[depth:] = [name]
    return paths


def list_rooms() -> list[str]:
    """Return the kernel's rooms as import-linter checks them, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == ["luna"]:
            return list(contract["layers"])
    raise AssertionError("import-linter checks no rooms of the kernel")


def test_the_map_names_only_what_is_there() -> None:
    missing = [path for path in read_map() if not (ROOT / path).exists()]
    assert not missing


def test_the_map_names_every_room_and_service() -> None:
    mapped = set(read_map())
    for parent in ("luna", "services"):
        for package in (ROOT / parent).glob("*/__init__.py"):
            name = f"{parent}/{package.parent.name}/"
            if name != "services/demo/":
                assert name in mapped


def test_the_picture_shows_the_checked_layers() -> None:
    picture = LAYERS.read_text(encoding="utf-8")
    shown = re.findall(r'y="270"[^>]*>(\w+)<', picture)
    assert shown == list_rooms()
