"""``python -m services.executor``: sends the plans of armed sites to their devices.

It is independent of running computations.
"""

from contextlib import closing
from datetime import timedelta
from functools import partial

import structlog

from luna.contracts import PlanRequest
from luna.contracts.live_flow import LiveFlow
from luna.drivers.control.opening import DeviceOpener
from luna.energy.errors import UnavailableError
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.database.device_writes import StoredWrites
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import EXECUTOR_TURN, present
from luna.platform.service_process import (
    add_stall_option,
    end_on_signals,
    exit_from,
    health_parser,
    service_process,
)
from services.executor.control_step import Executor
from services.executor.steered_device import SteeringLink
from services.executor.target import DeviceConnections
from services.executor.watch import Watch

BEAT = timedelta(seconds=5)
# A plan not begun by then would be for another slot.
PLAN_PATIENCE = timedelta(minutes=5)

log = structlog.get_logger("luna.executor")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = health_parser("services.executor", __doc__)
    add_stall_option(parser)
    options = parser.parse_args(arguments)
    ending = end_on_signals()
    with service_process(
        "executor", beat=BEAT, health_port=options.health_port, stall_seconds=options.stall_seconds
    ) as process:
        settings = process.settings
        addresses = process.addresses
        clock = SystemClock()
        database = engine.create(
            addresses.database_url, application_name="luna-executor", pool_size=10
        )
        process.resources.callback(database.dispose)
        client = process.resources.enter_context(closing(Client(addresses.redis_url)))
        readiness = process.serve_health(("database", "redis"))
        readiness.watch()
        opener = DeviceOpener(settings, partial(StoredWrites, database, clock))
        executor = Executor(
            database,
            DeviceConnections(
                opener, SteeringLink(settings.data_folder), data_folder=settings.data_folder
            ),
            partial(ask_plan, client),
            clock=clock,
            plan_max_age=settings.plan_max_age,
            read_flow=partial(read_flow, client),
        )
        watch = Watch(database, executor, clock=clock)
        heartbeats = present(
            addresses.redis_url,
            readiness,
            role="executor",
            list_sites=lambda: watch.sites,
            turn=EXECUTOR_TURN,
            clock=clock,
        )
        process.resources.enter_context(heartbeats)
        watch.run(process.pulse, ending=ending)
    return 0


def ask_plan(client: Client, site_id: str) -> None:
    """Request a plan of a site on the interactive queue.

    Jobs there do not wait for others that may outlast ``PLAN_PATIENCE``. Without the queue the
    current plan stays in force.
    """
    try:
        client.begin(PlanRequest(site_id=site_id), timeout=PLAN_PATIENCE)
    except UnavailableError as error:
        log.warning("no plan can be asked for", site_id=site_id, error=str(error))


def read_flow(client: Client, site_id: str) -> LiveFlow | None:
    """Return a site's live powers, and have its devices polled more often for a while.

    Without the queue there are none.
    """
    try:
        client.live.look(site_id)
        return client.live.read(site_id)
    except UnavailableError as error:
        log.warning("live powers cannot be read", site_id=site_id, error=str(error))
        return None


if __name__ == "__main__":
    exit_from(main, log, "the executor cannot start")
