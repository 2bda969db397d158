"""What a few commands need alone: nothing is installed before somebody has agreed, and what is
said.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from luna.platform.extras import (
    DRAWING,
    LAB,
    MDNS,
    QDRANT,
    TRAINING,
    Extra,
    PythonEnvironment,
    install_extra,
    remove_extra,
    require_extra,
)
from tests.support.suite.tables import each_row

ROOT = Path(__file__).parents[3]
SAMPLE = Extra("sample", "the sample", ("luna_sample_extra",), megabytes=3, download=2)
INSTALLS = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
echo "Collecting luna-sample==1.0 (from -r sample.txt (line 1))"
echo "Collecting luna-other==1.0 (from -r sample.txt (line 3))"
echo >"$(dirname "$0")/libraries/luna_sample_extra.py"
"""
FAILS = """#!/bin/sh
echo "WARNING: Retrying …"
echo "ERROR: No matching distribution found for optuna==5.0.0"
exit 1
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PythonEnvironment:
    """A checkout with an environment of its own, whose Python installs the sample."""
    (tmp_path / "locks/extras").mkdir(parents=True)
    (tmp_path / "locks/extras/sample.txt").write_text(
        "luna-sample==1.0 \\\n    --hash=sha256:00\nluna-other==1.0 \\\n    --hash=sha256:00\n"
    )
    (tmp_path / "libraries").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "libraries"))
    return PythonEnvironment(
        tmp_path, _program(tmp_path, INSTALLS), tmp_path / "libraries", own=True
    )


def _program(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_what_is_missing_is_not_installed_before_somebody_has_agreed(
    place: PythonEnvironment,
) -> None:
    with pytest.raises(MachineError) as raised:
        require_extra(SAMPLE, place)
    assert raised.value.reason == "extra-not-agreed"
    assert raised.value.parameters | {"names": None} == {
        "extra": "sample",
        "purpose": "the sample",
        "names": None,
        "download": 2,
        "megabytes": 3,
    }
    assert "luna extras add sample" in str(raised.value.remedy)
    assert not (place.checkout / "asked").exists()


def test_what_was_agreed_to_is_installed_once_and_says_how_far_it_is(
    place: PythonEnvironment,
) -> None:
    steps: list[tuple[int, int, str]] = []
    for _ in range(2):
        install_extra(SAMPLE, place, progress=lambda *step: steps.append(step))
    require_extra(SAMPLE, place)
    assert steps == [
        (0, 2, "sample"),
        (1, 2, "luna-sample"),
        (2, 2, "luna-other"),
        (2, 2, "sample"),
    ]
    (asked,) = (place.checkout / "asked").read_text().splitlines()
    assert "--no-deps --require-hashes" in asked
    assert asked.endswith("locks/extras/sample.txt")


def test_what_was_installed_is_removed_with_what_came_with_it(place: PythonEnvironment) -> None:
    remove_extra(SAMPLE, place)
    (asked,) = (place.checkout / "asked").read_text().splitlines()
    assert asked.endswith("--yes luna-sample luna-other")


def test_what_is_there_is_neither_installed_nor_spoken_of(place: PythonEnvironment) -> None:
    there = replace(SAMPLE, modules=("numpy",))
    require_extra(there, place)
    install_extra(there, place)
    assert not (place.checkout / "asked").exists()


def test_without_a_network_it_says_what_is_missing_and_what_to_do(place: PythonEnvironment) -> None:
    _program(place.checkout, FAILS)
    with pytest.raises(MachineError) as raised:
        install_extra(SAMPLE, place)
    assert "luna_sample_extra" in raised.value.message
    assert raised.value.message.endswith("ERROR: No matching distribution found for optuna==5.0.0")
    assert raised.value.remedy == "Connect this machine to the network once and call it again."


@pytest.mark.parametrize(
    "change", [require_extra, install_extra, remove_extra], ids=["use", "install", "remove"]
)
@each_row(
    ("changed", "reason"),
    [
        ({"checkout": Path("/nowhere")}, "only a checkout's own environment"),
        ({"own": False}, "only a checkout's own environment"),
        ({"libraries": Path("/nowhere")}, "/nowhere cannot be written"),
    ],
    ids=[
        "an installed wheel or an image",
        "the machine's own Python",
        "a folder that cannot be written",
    ],
)
def test_nothing_else_than_a_checkouts_environment_is_changed(
    changed: dict[str, object],
    reason: str,
    place: PythonEnvironment,
    change: Callable[[Extra, PythonEnvironment], None],
) -> None:
    with pytest.raises(MachineError) as raised:
        change(SAMPLE, replace(place, **changed))
    assert reason in raised.value.message
    assert 'pip install "luna-energy[sample]"' in str(raised.value.remedy)
    assert not (place.checkout / "asked").exists()


@each_row(
    "extra",
    [LAB, DRAWING, MDNS, QDRANT, TRAINING],
    ids=["lab", "pictures", "mdns", "qdrant", "training"],
)
def test_the_lock_of_an_extra_repeats_nothing_of_core_and_has_the_versions_that_are_tested(
    extra: Extra,
) -> None:
    locked = _packages(PythonEnvironment.of_this_process().lock_of(extra))
    assert locked.keys().isdisjoint(_packages(ROOT / "locks/core.txt"))
    assert locked.items() <= _packages(ROOT / "locks/system.txt").items()
    declared = re.search(
        rf"^{extra.name} = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert declared
    wanted = set(re.findall(r'"([\w-]+)', declared[1]))
    assert wanted <= {
        name for name, _ in [*locked.items(), *_packages(ROOT / "locks/core.txt").items()]
    }
    assert all((ROOT / script).is_file() for script in extra.scripts)


def _packages(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_this_python_is_added_to_by_its_own_pip() -> None:
    here = PythonEnvironment.of_this_process()
    assert here.checkout == ROOT
    assert [command[0] for command in here.installers(TRAINING)] == [
        sys.executable,
        str(ROOT / "infra/install-torch"),
    ]
