"""Fault injection under load, audited against a ledger of all acknowledged requests:
``python -m bench.chaos --seed N --moments 100``.
"""

import json
import subprocess
import sys
from typing import Any

from luna.energy.errors import MachineError

SEED = 1
# Every kind of fault once, except jumps of the clock, which need a round of their own.
SHORT = ("--moments", "4", "--rounds", "1", "--jumps", "0")
FULL = ("--moments", "100", "--rounds", "2", "--jumps", "8")


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the lost, duplicated and wrong records, and the recovery times by fault.

    Raises:
        MachineError: this machine lacks root or a program.
    """
    command = [sys.executable, "-m", "bench.chaos", "--seed", str(SEED), *(FULL if full else SHORT)]
    # Progress on stderr passes through.
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        raise MachineError(
            "no faults can be made",
            field="bench.chaos",
            remedy="Run it as root, with mosquitto, iptables, unshare and mkfs.ext4 installed.",
        )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
