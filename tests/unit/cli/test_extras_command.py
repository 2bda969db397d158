"""A command that lacks an addition asks first: at a terminal a person, in a script its --yes.

Without either nothing is installed.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.energy.refusals import refuse
from luna.platform import extras
from luna.platform.extras import Extra, PythonEnvironment
from services.cli import extras as command
from services.cli.command_target import RemoteServer, name_server
from tests.support.command_line.call import Luna

SAMPLE = Extra("pictures", "the sample", ("luna_sample_picture",), megabytes=3, download=2)
PYTHON = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
echo >"$(dirname "$0")/libraries/luna_sample_picture.py"
"""
LACKS = {
    "extra": "pictures",
    "purpose": "the sample",
    "names": ("luna_sample_picture",),
    "download": 2,
    "megabytes": 3,
}


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout whose Python installs the sample; the machine's own is left alone."""
    (tmp_path / "locks/extras").mkdir(parents=True)
    (tmp_path / "locks/extras/pictures.txt").write_text("luna-sample==1.0\n")
    (tmp_path / "libraries").mkdir()
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    monkeypatch.syspath_prepend(str(tmp_path / "libraries"))
    environment = PythonEnvironment(tmp_path, str(python), tmp_path / "libraries", own=True)
    monkeypatch.setattr(PythonEnvironment, "of_this_process", classmethod(lambda _: environment))
    monkeypatch.setitem(extras.EXTRAS, "pictures", SAMPLE)
    yield tmp_path
    sys.modules.pop("luna_sample_picture", None)


def was_installed(place: Path) -> bool:
    return (place / "asked").exists()


def test_without_a_terminal_it_refuses_with_what_to_run(
    luna: Luna, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = luna("extras", "add", "pictures", "--json")
    assert (said.code, said.problem["reason"], was_installed(place)) == (
        1,
        "extra-not-agreed",
        False,
    )
    assert "luna extras add pictures" in said.problem["remedy"]
    assert (said.problem["parameters"]["download"], said.problem["parameters"]["megabytes"]) == (
        2,
        3,
    )


@pytest.mark.parametrize(
    ("answer", "installed"),
    [("y\n", True), ("n\n", False), ("\n", False)],
    ids=["yes", "no", "nothing"],
)
def test_at_a_terminal_it_asks(
    luna: Luna, place: Path, monkeypatch: pytest.MonkeyPatch, answer: str, installed: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    said = luna("extras", "add", "pictures")
    assert (said.code == 0, was_installed(place)) == (installed, installed)
    assert all(
        part in said.err
        for part in ("2 MB", "3 MB", str(place / "libraries"), "luna extras remove pictures")
    )


def test_a_script_agrees_with_yes(luna: Luna, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = luna("extras", "add", "pictures", "--yes", "--json")
    assert (said.code, said.document) == (0, {"name": "pictures", "installed": True})
    assert was_installed(place)


@pytest.mark.parametrize("agreed", [True, False])
def test_a_command_that_lacks_an_addition_goes_on_once_it_is_agreed_to(
    place: Path, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    error = refuse("extra-not-agreed", **LACKS)
    assert command.settle_missing(error, agreed=agreed) is agreed
    assert was_installed(place) is agreed
    # What is there and is still said to be missing is missing elsewhere.
    assert not (agreed and command.settle_missing(error, agreed=True))


@pytest.mark.parametrize(
    ("words", "installed"),
    [((), False), (("--yes",), True)],
    ids=["a script", "a script that agrees"],
)
def test_a_picture_as_png_is_asked_for_like_that(
    luna: Luna,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    installed: bool,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    # The tests' own environment has what draws.
    monkeypatch.setattr("services.cli.agent.DRAWING", SAMPLE)
    monkeypatch.setattr("services.cli.agent.answer_request", refuse_to_draw)
    said = luna(
        *words,
        "agent",
        "plot",
        "--site",
        "home",
        "--day",
        "2024-05-01",
        "--out",
        str(place / "day.png"),
        "--json",
    )
    assert (said.problem["reason"], was_installed(place)) == (
        "job-without-end" if installed else "extra-not-agreed",
        installed,
    )


def refuse_to_draw(_: object) -> None:
    """Stand for the worker that would draw: this is as far as the command has to come."""
    raise refuse(
        "job-without-end", field="job_id", value="none", work="drawing", status="failed", job="none"
    )


def test_what_another_machine_lacks_is_not_installed_here(place: Path) -> None:
    name_server(RemoteServer("http://127.0.0.1:9"))
    try:
        assert not command.settle_missing(refuse("extra-not-agreed", **LACKS), agreed=True)
    finally:
        name_server(None)
    assert not was_installed(place)


def test_nothing_is_removed_without_being_asked(
    luna: Luna, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert (luna("extras", "remove", "pictures").code, was_installed(place)) == (2, False)
    assert luna("extras", "remove", "pictures", "--yes").code == 0
    assert "uninstall" in (place / "asked").read_text()


def test_an_unknown_addition_is_named_with_those_there_are(luna: Luna) -> None:
    said = luna("extras", "add", "nonsense", "--yes")
    assert said.code == 2
    assert "training" in said.err
