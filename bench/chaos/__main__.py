"""``python -m bench.chaos --seed N --moments 100``: faults under load, and an audit of everything
that was acknowledged.

As root it runs in namespaces of its own, so that a full disk and cut connections are nobody else's;
what cannot be done is named.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.chaos.contents import Contents
from bench.chaos.faults import COMPILER, FalseClock, Saboteur, draw_jumps, draw_moments, small_disk
from bench.chaos.load import Load
from bench.chaos.rounds import Outcome, Run, describe, say
from bench.chaos.stack import Stack
from bench.ledger import Ledger
from bench.stack import UNLIMITED
from tests.support.home_assistant.broker import PROGRAM, Mosquitto
from tests.support.worker.processes import free_port

INSIDE = "LUNA_CHAOS_INSIDE"


def main() -> int:
    """Run and write the figures to stdout.

    1 where anything was lost, doubled, wrong or did not come back.
    """
    parser = argparse.ArgumentParser(prog="bench.chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=1, help="repeats moments, targets and what is sent"
    )
    parser.add_argument(
        "--moments",
        type=int,
        default=100,
        help="how often a process is killed; other faults come beside these",
    )
    parser.add_argument(
        "--rounds", type=int, default=2, help="the ledger is audited at the end of each"
    )
    parser.add_argument(
        "--jumps", type=int, default=8, help="jumps of the clock, in a round of their own"
    )
    parser.add_argument("--keep", type=Path, help="folder in which ledger, logs and data are kept")
    options = parser.parse_args()
    missing = [] if PROGRAM else ["mosquitto"]
    missing += [
        name for name in ("unshare", "iptables", "mkfs.ext4", "ip") if shutil.which(name) is None
    ]
    if os.geteuid() != 0 or missing:
        say(
            "bench.chaos needs root and these programs, which are missing: "
            f"{', '.join(missing) or 'none'}"
        )
        return 2
    if INSIDE not in os.environ:
        again = ["unshare", "--mount", "--net", sys.executable, "-m", "bench.chaos", *sys.argv[1:]]
        return subprocess.run(again, env=os.environ | {INSIDE: "1"}, check=False).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    without_clock = [] if shutil.which(COMPILER) else ["jumps of the clock: no C compiler"]
    options.jumps = 0 if without_clock else options.jumps
    with tempfile.TemporaryDirectory(prefix="luna-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        outcome = Outcome()
        folder.chmod(0o755)
        with small_disk(folder) as disk:
            # Ended early it says what it knows.
            with suppress(KeyboardInterrupt):
                _run(options, folder, disk, outcome=outcome)
            if options.keep:
                shutil.copytree(
                    folder,
                    options.keep,
                    ignore=shutil.ignore_patterns("disk", "filler", "base*"),
                    dirs_exist_ok=True,
                )
    print(json.dumps(describe(outcome, options.seed) | {"missing": without_clock}, indent=2))
    return int(bool(outcome.findings.faults or outcome.stuck))


def _run(options: argparse.Namespace, folder: Path, disk: Path, *, outcome: Outcome) -> None:
    """Go through the rounds.

    ``outcome`` has what is known by then also where this is interrupted.
    """
    seed = options.seed
    moments = draw_moments(options.seed, options.moments)
    size = max(1, -(-len(moments) // options.rounds))
    with ExitStack() as resources:
        queue = folder / "broker"
        queue.mkdir()
        broker = Mosquitto(queue)
        broker.start()
        resources.callback(broker.stop)
        ledger = Ledger(folder / "ledger")
        resources.callback(ledger.close)
        # Nothing from outside, and no limit to how much is asked of it.
        settings = UNLIMITED | {
            "outside_services": "false",
            "embedding_download": "false",
            "mqtt_publish": "sensors",
        }
        settings |= {"mqtt_url": f"mqtt://127.0.0.1:{broker.port}"}
        stack = resources.enter_context(
            Stack(disk / "luna", free_port(), settings, log=folder / "luna.log")
        )
        load = Load(stack, ledger, Contents(seed, datetime.now(UTC).date()), broker.port)
        resources.callback(load.close)
        load.prepare()
        chance = np.random.default_rng((seed, options.moments))
        part = Run(stack, load, ledger, saboteur=Saboteur(stack, chance), outcome=outcome)
        for first in range(0, len(moments), size):
            part.play(moments[first : first + size])
        if options.jumps:
            clock = FalseClock(folder)
            stack.start_anew(clock.environment)
            Run(stack, load, ledger, saboteur=Saboteur(stack, chance, clock), outcome=outcome).play(
                draw_jumps(seed, options.jumps)
            )


if __name__ == "__main__":
    sys.exit(main())
