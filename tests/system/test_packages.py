"""Packages are downloaded as files, verified, and never installed."""

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from luna.platform.packages import Package, fetch_package, hash_file
from services.ingest.demo_data.sources import EV2GYM, SIMBENCH

FILENAME = "luna_tiny_data-1.0-py3-none-any.whl"
RECORD = "luna_tiny_data-1.0.dist-info"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, holding one small wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / FILENAME, "w") as wheel:
        wheel.writestr("luna_tiny_data/values.csv", "1;2;3\n")
        wheel.writestr(
            f"{RECORD}/METADATA", "Metadata-Version: 2.1\nName: luna-tiny-data\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{RECORD}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{RECORD}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH, still empty; this environment has no pip of its own."""
    monkeypatch.setattr(
        sys, "path", [entry for entry in sys.path if not (Path(entry) / "pip").is_dir()]
    )
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put_program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/bash", *lines]))
    path.chmod(0o755)


def describe(sha256: str) -> Package:
    return Package(
        name="luna-tiny-data", version="1.0", filename=FILENAME, sha256=sha256, bytes=700
    )


def test_downloads_a_missing_package_and_says_how_far_it_is(index: Path, tmp_path: Path) -> None:
    package = describe(hash_file(index / FILENAME))
    said: list[tuple[int, int, str]] = []
    path = fetch_package(
        package,
        tmp_path / "cache",
        progress=lambda done, total, label: said.append((done, total, label)),
    )
    assert hash_file(path) == package.sha256
    assert (said[0], said[-1]) == ((0, 700, "luna-tiny-data"), (700, 700, "luna-tiny-data"))
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [FILENAME]


@pytest.mark.parametrize("name", ["pip", pytest.param("pip3", marks=pytest.mark.long)])
def test_an_environment_without_pip_uses_the_one_on_the_path(
    index: Path, search_path: Path, tmp_path: Path, name: str
) -> None:
    put_program(search_path / name, f'exec {sys.executable} -m pip "$@"')
    package = describe(hash_file(index / FILENAME))
    assert hash_file(fetch_package(package, tmp_path / "cache")) == package.sha256


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("pip 24.0 from here (python 3.12)", []),
        ("pip 24.1 from here (python 3.12)", [350]),
        ("pip 26.0.1 from here", [350]),
        ("", []),
    ],
    ids=["too old", "just new enough", "newer", "says nothing"],
)
def test_pip_is_asked_for_bytes_only_where_it_can_tell_them(
    index: Path, search_path: Path, tmp_path: Path, said: str, told: list[int]
) -> None:
    lines = [
        f'[ "$1" = --version ] && {{ echo "{said}"; exit; }}',
        '[[ "$*" = *--progress-bar=raw* ]] && echo "Progress 350 of 700"',
        'while [ "$1" != --dest ]; do shift; done',
        'exec /bin/cp "$PIP_FIND_LINKS"/*.whl "$2"',
    ]
    put_program(search_path / "pip", *lines)
    counted: list[int] = []
    fetch_package(
        describe(hash_file(index / FILENAME)),
        tmp_path / "cache",
        progress=lambda done, *_: counted.append(done),
    )
    assert counted == [0, *told, 700]


def test_without_any_pip_the_file_can_be_put_there_by_hand(
    search_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(MachineError, match=rf"{FILENAME} into {tmp_path}") as refused:
        fetch_package(describe("0" * 64), tmp_path)
    assert refused.value.reason == "pip-missing"


def test_replaces_a_damaged_file(index: Path, tmp_path: Path) -> None:
    package = describe(hash_file(index / FILENAME))
    (tmp_path / FILENAME).write_bytes(b"half of it")
    assert hash_file(fetch_package(package, tmp_path)) == package.sha256


def test_uses_what_is_cached_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / FILENAME).write_bytes(b"data")
    assert (
        fetch_package(describe(hashlib.sha256(b"data").hexdigest()), tmp_path).read_bytes()
        == b"data"
    )


def test_says_what_to_do_where_there_is_neither_network_nor_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MachineError, match="put luna_tiny_data") as refused:
        fetch_package(describe("0" * 64), tmp_path)
    assert refused.value.reason == "package-not-downloaded"
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_file_with_another_hash(index: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"luna-tiny-data 1\.0"):
        fetch_package(describe("f" * 64), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("package", [EV2GYM, SIMBENCH], ids=lambda package: package.name)
def test_pins_version_file_and_hash(package: Package) -> None:
    assert package.filename.startswith(f"{package.name}-{package.version}-")
    assert len(bytes.fromhex(package.sha256)) == 32
    assert (
        package.requirement == f"{package.name}=={package.version} --hash=sha256:{package.sha256}"
    )
