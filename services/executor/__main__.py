"""``python -m services.executor``: sends the plans of armed sites to their devices.

It is independent of running computations.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial

import structlog

from luna.contracts import PlanRequest
from luna.energy.errors import UnavailableError
from luna.energy.site.control import NOT_SENT, Control, ControlledBy
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.database.device_writes import StoredWrites
from luna.platform.drivers.write_limits import WriteCounter
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import executor_present
from luna.platform.service_process import (
    add_stall_option,
    end_on_signals,
    exit_from,
    health_parser,
    service_process,
)
from luna.platform.settings import Settings
from luna.platform.settings.stored import refresh_settings
from services.executor import home_assistant, mqtt, profile
from services.executor.control_step import Executor
from services.executor.device import Device, DryRun
from services.executor.watch import Watch

BEAT = timedelta(seconds=5)
# A plan not begun by then would be for another slot.
PLAN_PATIENCE = timedelta(minutes=5)
# Openers of connections to devices that Luna does not drive itself.
CONNECTIONS: Mapping[ControlledBy, Callable[[Settings, Control], Device]] = {
    "home_assistant": home_assistant.open_device,
    "mqtt": mqtt.open_device,
}

log = structlog.get_logger("luna.planner.execution")


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
            opener,
            partial(ask_plan, client),
            clock=clock,
            plan_max_age=settings.plan_max_age,
        )
        watch = Watch(database, executor, clock=clock)
        process.resources.enter_context(
            executor_present(addresses.redis_url, readiness, lambda: watch.sites, clock=clock)
        )
        watch.run(process.pulse, ending=ending)
    return 0


class DeviceOpener:
    """Opens device connections with the current settings.

    A page may have stored an address since the process started.
    """

    def __init__(self, settings: Settings, count_writes: Callable[[str], WriteCounter]) -> None:
        self._settings = settings
        self._settings_file = b""
        self._count_writes = count_writes

    def __call__(self, control: Control) -> Device:
        """Return the connection to a site's devices.

        Raises:
            InvalidInputError: the settings name no Home Assistant or broker.
        """
        self._settings, self._settings_file = refresh_settings(self._settings, self._settings_file)
        return open_device(self._settings, control, self._count_writes)


def open_device(
    settings: Settings, control: Control, count_writes: Callable[[str], WriteCounter]
) -> Device:
    """Return the connection to the devices of a section ``control``.

    ``count_writes`` returns the write counter of a device that Luna drives itself.

    Raises:
        InvalidInputError: the settings name no Home Assistant or broker, or there is no profile of
            that name.
    """
    if control.by in NOT_SENT:
        return DryRun()
    if control.by == "profile":
        return profile.open_device(settings, control, count_writes)
    device = CONNECTIONS[control.by](settings, control)
    if not control.vias:
        return device
    # Luna drives the batteries itself, Home Assistant or a broker the other devices.
    return profile.MixedDevice(profile.open_device(settings, control, count_writes), device)


def ask_plan(client: Client, site_id: str) -> None:
    """Request a plan of a site on the interactive queue.

    Jobs there do not wait for others that may outlast ``PLAN_PATIENCE``. Without the queue the
    current plan stays in force.
    """
    try:
        client.begin(PlanRequest(site_id=site_id), timeout=PLAN_PATIENCE)
    except UnavailableError as error:
        log.warning("no plan can be asked for", site_id=site_id, error=str(error))


if __name__ == "__main__":
    exit_from(main, log, "the executor cannot start")
