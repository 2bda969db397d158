"""A command that is ended while its servers start leaves none of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from luna.platform.embedded.account import is_locked

SERVERS = ("postgres", "redis")


@pytest.mark.parametrize("marker", [f"{name}.log" for name in SERVERS])
def test_a_doctor_that_is_ended_while_a_server_starts_leaves_none(
    marker: str, tmp_path: Path
) -> None:
    folder = tmp_path / "servers"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUNA")}
    doctor = subprocess.Popen(
        [Path(sys.executable).parent / "luna", "doctor"],
        env={**environment, "LUNA_DATA_FOLDER": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # Its log is opened just before a server starts.
    while doctor.poll() is None and not (folder / marker).exists():
        time.sleep(0.002)
    doctor.send_signal(signal.SIGTERM)
    assert doctor.wait(timeout=300) == 128 + signal.SIGTERM
    locks = [folder / f"{name}.lock" for name in SERVERS]
    assert [lock.name for lock in locks if lock.exists() and is_locked(lock)] == []
