"""Executor process: ``python -m services.executor`` sends the plans of armed sites to their devices, independent of running computations."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from importlib import import_module

import structlog

from luna.contracts import PlanRequest
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.site.control import NOT_SENT, Control
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.database.device_writes import StoredWrites
from luna.platform.drivers.budget import WriteCounter
from luna.platform.embedded import running
from luna.platform.health import ALIVE, Liveness, Readiness, announce_release, probes_for, serve_health
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import executor_present
from luna.platform.settings import Settings, load_settings
from luna.platform.settings.stored import refresh_settings
from luna.platform.telemetry import configure_logging
from services.executor.control_step import Executor
from services.executor.device import Device, DryRun
from services.executor.watch import Watch

BEAT = timedelta(seconds=5)
# A plan that nobody began by then would be for another slot.
PLAN_PATIENCE = timedelta(minutes=5)

log = structlog.get_logger("luna.planner.execution")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="services.executor", description=__doc__)
    parser.add_argument("--health-port", type=int, default=0, help="port that serves /health/live, /health/ready and /metrics; 0: none")
    options = parser.parse_args(arguments)
    settings = load_settings()
    configure_logging("executor", level=settings.log_level)
    announce_release()
    ending = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ending.set())
    with running(settings) as addresses, ExitStack() as stack:
        pulse, clock = Liveness(BEAT, settings.heartbeat_file), SystemClock()
        database = engine.create(addresses.database_url, application_name="luna-executor", pool_size=10)
        stack.callback(database.dispose)
        client = stack.enter_context(closing(Client(addresses.redis_url)))
        readiness = Readiness({ALIVE: pulse.probe, **probes_for(("database", "redis"), settings, addresses)})
        if options.health_port:
            stack.enter_context(serve_health(settings.api_host, options.health_port, pulse=pulse, readiness=readiness))
        readiness.watch()
        opener = DeviceOpener(settings, partial(StoredWrites, database, clock))
        executor = Executor(database, opener, partial(ask_plan, client), clock=clock, plan_max_age=settings.plan_max_age)
        watch = Watch(database, executor, clock=clock)
        stack.enter_context(executor_present(addresses.redis_url, readiness, lambda: watch.sites, clock=clock))
        watch.run(pulse, ending=ending)
    return 0


class DeviceOpener:
    """Opens device connections with the current settings: a page may have stored an address since the process began."""

    def __init__(self, settings: Settings, count_writes: Callable[[str], WriteCounter]) -> None:
        self._settings, self._settings_file = settings, b""
        self._count_writes = count_writes

    def __call__(self, control: Control) -> Device:
        """Return the connection to a site's devices.

        Raises:
            InvalidInputError: the settings name no Home Assistant or broker.
        """
        self._settings, self._settings_file = refresh_settings(self._settings, self._settings_file)
        return open_device(self._settings, control, self._count_writes)


def open_device(settings: Settings, control: Control, count_writes: Callable[[str], WriteCounter]) -> Device:
    """Return the connection to a site's devices, as its section ``control`` names it; ``count_writes``: the counter of a device that Luna speaks to itself.

    Raises:
        InvalidInputError: the settings name no Home Assistant or broker, or there is no profile of that name.
    """
    if control.by in NOT_SENT:
        return DryRun()
    profile = import_module("services.executor.profile") if control.vias or control.by == "profile" else None
    if profile is None or control.by != "profile":
        # A driver is the module of its name.
        device: Device = import_module(f"services.executor.{control.by}").open_device(settings, control)
    if profile is None:
        return device
    profiled: Device = profile.open_device(settings, control, count_writes)
    # Home Assistant or a broker for the others, where batteries are spoken to by Luna itself.
    return profiled if control.by == "profile" else profile.MixedDevice(profiled, device)


def ask_plan(client: Client, site_id: str) -> None:
    """Ask for a plan of a site, where no job stands in the way: a night of replays outlasts ``PLAN_PATIENCE``; without the queue the one there is goes on."""
    try:
        client.begin(PlanRequest(site_id=site_id), timeout=PLAN_PATIENCE)
    except UnavailableError as error:
        log.warning("no plan can be asked for", site_id=site_id, error=str(error))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LunaError as error:
        log.error("the executor cannot start", error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
