"""What ``luna up`` makes of what its companions log."""

import io
import subprocess
import sys
from contextlib import suppress

import pytest

from luna.platform.telemetry import RECENT_LINES
from services.cli.up import _pass_on

TALKER = "import sys; sys.stderr.writelines(f'line {number}\\n' for number in range(50_000))"


def test_a_log_on_a_full_disk_holds_up_no_companion(monkeypatch: pytest.MonkeyPatch) -> None:
    full = io.TextIOWrapper(io.BufferedWriter(io.FileIO("/dev/full", "w")))
    # In the test itself: pytest sets its own before each step.
    monkeypatch.setattr(sys, "stderr", full)
    with subprocess.Popen([sys.executable, "-c", TALKER], stderr=subprocess.PIPE) as companion:
        _pass_on(companion)
        assert companion.wait(60) == 0
    assert RECENT_LINES[-1] == "line 49999"
    with suppress(OSError):
        full.close()
