"""What a step shows where nobody watches: a line when it is done."""

from contextlib import suppress

import pytest

from services.cli.demo import show_steps


def test_without_a_terminal_each_finished_step_writes_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with show_steps() as show_step:
        with show_step("load the year") as show:
            show(1, 3, "prices")
        with suppress(RuntimeError), show_step("home: train"):
            raise RuntimeError
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("load the year: ")
    assert line.endswith(" s")
