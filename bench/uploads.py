"""How long files of readings wait to be stored while trainings of many sites hold the processes for
jobs of ``luna up``.

Run as ``python -m bench.uploads`` (eight sites) or ``python -m bench.uploads full`` (twenty). Each
site's first training is accepted at once; from when they run on, a file of eight readings is handed
over every few seconds, and the time counts from the request to the moment at which its job is done.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np

from bench.cases import SEED
from bench.stack import UNLIMITED, Stack, data_folder, luna_up
from bench.stored_sites import store_sites
from bench.waiting import wait_until
from luna.platform.clock import SystemClock
from luna.platform.telemetry import configure_logging

SITES = 8
FULL_SITES = 20
PAST_DAYS = 60
FILES = 10
EVERY_SECONDS = 2.0
FILE = "instant,sensor,value,unit\n" + "".join(
    f"2020-01-01T00:{{minute:02}}:00Z,sensor.{name},1,kWh\n" for name in "abcdefgh"
)
PATIENCE_SECONDS = 900.0


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the seconds until each file was stored, how many trainings were still open then, and
    the memory of workers.
    """
    configure_logging("bench", level="WARNING")
    with data_folder() as folder, luna_up(folder, settings=UNLIMITED) as stack:
        names = store_sites(
            stack.database,
            FULL_SITES if full else SITES,
            until=SystemClock().now(),
            past_days=PAST_DAYS,
            issues=1,
        )
        with httpx.Client(
            base_url=f"http://127.0.0.1:{stack.port}",
            headers=dict(stack.headers),
            trust_env=False,
            timeout=60,
        ) as client:
            return {"seed": SEED, "sites": len(names)} | _hand_over(stack, client, names)


def _hand_over(stack: Stack, client: httpx.Client, names: Sequence[str]) -> dict[str, Any]:
    trainings = [
        client.post(f"/v1/sites/{name}/forecast-versions/trainings", json={})
        .raise_for_status()
        .json()["job_id"]
        for name in names
    ]
    wait_until(
        lambda: _count(client, trainings, "running") > 0,
        seconds=PATIENCE_SECONDS,
        what="a training runs",
    )
    waited = []
    still_open = []
    for number in range(FILES):
        begun = time.perf_counter()
        form = {
            "files": {"file": ("minute.csv", FILE.format(minute=number))},
            "data": {"kind": "readings"},
        }
        job = (
            client.post(f"/v1/sites/{names[number % len(names)]}/uploads", **form)
            .raise_for_status()
            .json()["job_id"]
        )
        wait_until(
            lambda job=job: _count(client, [job], "done") == 1,
            seconds=PATIENCE_SECONDS,
            what="a file is stored",
        )
        waited.append(time.perf_counter() - begun)
        still_open.append(_count(client, trainings, "queued", "running"))
        time.sleep(EVERY_SECONDS)
    median, longest = (float(np.percentile(waited, share)) for share in (50, 100))
    memory = {
        kind: round(held.own_mb, 1)
        for kind, held in stack.processes.holds().items()
        if "worker" in kind
    }
    return {
        "median_s": median,
        "longest_s": longest,
        "waited_s": [round(each, 2) for each in waited],
        "trainings_open": still_open,
        "own_mb": memory,
    }


def _count(client: httpx.Client, job_ids: Sequence[str], *statuses: str) -> int:
    return sum(
        client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["status"] in statuses
        for job_id in job_ids
    )


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(measure(full="full" in arguments), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
