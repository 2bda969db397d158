"""``python -m bench.chaos --seed N --moments 100``: faults under load, and an audit of everything that was acknowledged.

As root it runs in namespaces of its own, so that a full disk and cut connections are nobody else's; what cannot be done is named.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from bench.chaos.faults import COMPILER, small_disk
from bench.chaos.rounds import Extent, Outcome, Place, describe, run, say
from tests.mosquitto import PROGRAM, Mosquitto
from tests.processes import free_port

INSIDE = "LUNA_CHAOS_INSIDE"


def main() -> int:
    """Run and write the figures to stdout; 1 where anything was lost, doubled, wrong or did not come back."""
    options = _parser().parse_args()
    missing = [] if PROGRAM else ["mosquitto"]
    missing += [name for name in ("unshare", "iptables", "mkfs.ext4", "ip") if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        say(f"bench.chaos needs root and these programs, which are missing: {', '.join(missing) or 'none'}")
        return 2
    if INSIDE not in os.environ:
        again = ["unshare", "--mount", "--net", sys.executable, "-m", "bench.chaos", *sys.argv[1:]]
        return subprocess.run(again, env=os.environ | {INSIDE: "1"}, check=False).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    jumps = options.jumps if shutil.which(COMPILER) else 0
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="luna-chaos-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        disk = resources.enter_context(small_disk(folder))
        queue = folder / "broker"
        queue.mkdir()
        broker = Mosquitto(queue)
        broker.start()
        resources.callback(broker.stop)
        outcome = Outcome()
        extent = Extent(options.seed, options.moments, options.rounds, jumps)
        # Ended early it says what it knows.
        with suppress(KeyboardInterrupt):
            run(Place(disk, folder, free_port(), broker.port), extent, outcome)
        if options.keep:
            shutil.copytree(folder, options.keep, ignore=shutil.ignore_patterns("disk", "filler", "base*"), dirs_exist_ok=True)
    figures = describe(outcome, options.seed) | {"missing": [] if shutil.which(COMPILER) else ["jumps of the clock: no C compiler"]}
    print(json.dumps(figures, indent=2))
    return int(bool(outcome.findings.faults or outcome.stuck))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="repeats moments, targets and what is sent")
    parser.add_argument("--moments", type=int, default=100, help="how often a process is killed; other faults come beside these")
    parser.add_argument("--rounds", type=int, default=2, help="the ledger is audited at the end of each")
    parser.add_argument("--jumps", type=int, default=8, help="jumps of the clock, in a round of their own")
    parser.add_argument("--keep", type=Path, help="folder in which ledger, logs and data are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
