"""How long a process waits where Luna's clock is the machine's, and where it is moved."""

from datetime import timedelta
from pathlib import Path

import pytest

from luna.platform.clock import CLOCK_VARIABLE, seconds_to_wait


def test_who_waits_for_a_moved_clock_soon_looks_whether_it_was_moved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(CLOCK_VARIABLE, raising=False)
    assert [seconds_to_wait(timedelta(seconds=each)) for each in (0.05, 15)] == [0.05, 15.0]
    monkeypatch.setenv(CLOCK_VARIABLE, str(tmp_path / "clock"))
    assert [seconds_to_wait(timedelta(seconds=each)) for each in (0.05, 15)] == [0.05, 0.2]
