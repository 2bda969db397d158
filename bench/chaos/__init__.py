"""Faults under load, checked by a ledger of everything that was acknowledged: ``python -m bench.chaos --seed N --moments 100``."""

import json
import subprocess
import sys
from typing import Any

from luna.energy.errors import MachineError

SEED = 1
# Every fault once but the clock's: it has a round of its own.
SHORT = ("--moments", "4", "--rounds", "1", "--jumps", "0")
FULL = ("--moments", "100", "--rounds", "2", "--jumps", "8")


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return what was lost, doubled and wrong, and how long Luna took to be itself again, by fault.

    Raises:
        MachineError: this machine lacks what faults are made with.
    """
    command = [sys.executable, "-m", "bench.chaos", "--seed", str(SEED), *(FULL if full else SHORT)]
    # What it tells meanwhile goes where this process's goes.
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        raise MachineError("no faults can be made", field="bench.chaos", remedy="Run it as root, with mosquitto, iptables, unshare and mkfs.ext4 installed.")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
