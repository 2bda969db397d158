"""Send groups of a batch to the workers of the lab's queue, on any machine.

Each group is a job: it survives any crash and is done once.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from luna.contracts.edge import SimulateGroupReply, SimulateGroupRequest
from luna.energy.errors import UnavailableError
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from services.edge.batch.transport import GroupReply

# Groups under way at a time: enough that no worker runs idle.
CAPACITY = 64
PAUSE_SECONDS = 0.25
UNSERVED_SECONDS = 60.0


class QueueWorkers:
    """Sends groups to workers and collects their replies.

    A group that is submitted again after a crash is the same job while that job is open.
    """

    def __init__(
        self, engine: Engine, client: Client, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._engine = engine
        self._client = client
        self._sleep = sleep
        self._under_way: dict[str, int] = {}
        self.capacity = CAPACITY

    def submit(self, key: int, document: dict[str, Any]) -> None:
        """Accept a group as a job."""
        job = submit_job(
            self._engine,
            self._client,
            SimulateGroupRequest(group=json.dumps(document, separators=(",", ":"))),
        )
        self._under_way[job.job_id] = key

    def wait(self) -> GroupReply:
        """Return the reply of one group.

        Raises:
            UnavailableError: no worker has served the lab's queue for a minute; submitted jobs
                stay.
        """
        last_served = time.monotonic()
        while True:
            with unit_of_work(self._engine) as connection:
                group_jobs = [jobs.load(connection, job_id) for job_id in self._under_way]
            ended_jobs = [job for job in group_jobs if job.status not in ("queued", "running")]
            if ended_jobs:
                ended = ended_jobs[0]
                key = self._under_way.pop(ended.job_id)
                if ended.status == "done":
                    return GroupReply(key, SimulateGroupReply.model_validate(ended.reply).rows)
                return GroupReply(key, [], str((ended.error or {}).get("detail", ended.status)))
            is_running = any(job.status == "running" for job in group_jobs)
            if is_running or self._client.is_served(SimulateGroupRequest):
                last_served = time.monotonic()
            if time.monotonic() - last_served > UNSERVED_SECONDS:
                remedy = (
                    "Start one: python -m luna.platform.queue.worker edge. What was accepted "
                    "stays so; the same command goes on."
                )
                raise UnavailableError(
                    "no worker serves the queue edge", field="--on-workers", remedy=remedy
                )
            self._sleep(PAUSE_SECONDS)
