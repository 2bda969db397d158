"""What a Luna with one home holds when nothing happens, and how soon its gateway answers:
``luna up`` as it comes, with the simulated home that lives.

Run as ``python -m bench.idle``. Memory is what its processes hold with their share of what they
share, PostgreSQL and Redis included, a minute after it was ready; the gateway's first answer is the
median of warm starts, counted from the command.
"""

import json
import sys
import time
from statistics import median
from typing import Any

from bench.stack import data_folder, luna_up
from luna.platform.embedded.supervisor import running
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from services.demo.environment import prepare_home

STARTS = 3
IDLE_SECONDS = 60.0


def measure() -> dict[str, Any]:
    """Return megabytes by kind of process and in all, how many processes there are, CPU seconds
    since the start, and seconds until the gateway answers.
    """
    configure_logging("bench", level="WARNING")
    own = {"cache_folder": str(load_settings().cache.resolve())}
    with data_folder() as folder:
        with (
            luna_up(folder, settings=own) as stack,
            running(Settings(data_folder=folder, database_url=None, redis_url=None)) as addresses,
        ):
            prepare_home(addresses, sys.stderr.write)
            headers = stack.headers
        answered_s = []
        for _ in range(STARTS):
            with luna_up(folder, headers=headers, settings=own) as stack:
                answered_s.append(stack.answered_s)
                if len(answered_s) == STARTS:
                    time.sleep(IDLE_SECONDS)
                    held = stack.processes.holds()
                    spent = stack.processes.cpu()
    return {
        "share_mb": sum(kind.share_mb for kind in held.values()),
        "processes": sum(kind.processes for kind in held.values()),
        "cpu_s": sum(spent.by_kind.values()),
        "answered_s": median(answered_s),
        "by_kind_mb": {kind: round(each.share_mb, 1) for kind, each in held.items()},
    }


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
