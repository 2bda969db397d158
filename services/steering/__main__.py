"""``python -m services.steering``: has the devices of steered sites follow the meters.

It needs no database, no queue and no planner.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from luna.drivers.control.opening import DeviceOpener
from luna.drivers.folder_lock import FolderLock
from luna.drivers.write_limits import WriteCounter
from luna.house.steering_channel import (
    PROCESS_LOCK,
    SENDER_LOCK,
    serve_steering,
)
from luna.house.steering_targets import TargetFolder
from luna.platform.clock import Clock, SystemClock
from luna.platform.health.readiness import Liveness
from luna.platform.service_process import (
    add_stall_option,
    end_on_signals,
    exit_from,
    health_parser,
    serverless_process,
)
from services.steering.cycles import SteeringLoop
from services.steering.write_count import FileWrites

BEAT = timedelta(seconds=5)
LOCK_SECONDS = 0.5

log = structlog.get_logger("luna.steering")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = health_parser("services.steering", __doc__)
    add_stall_option(parser)
    options = parser.parse_args(arguments)
    ending = end_on_signals()
    with serverless_process(
        "steering", beat=BEAT, health_port=options.health_port, stall_seconds=options.stall_seconds
    ) as process:
        data_folder = process.settings.data_folder
        clock = SystemClock()
        readiness = process.serve_health(())
        readiness.watch()
        targets = TargetFolder(data_folder)
        opener = DeviceOpener(process.settings, count_in_files(targets, clock))
        sender = FolderLock(data_folder, SENDER_LOCK)
        loop = SteeringLoop(targets, sender, opener, clock=clock)
        alive = FolderLock(data_folder, PROCESS_LOCK)
        if not take_lock(alive, process.pulse, ending):
            return 0
        loop.load()
        with serve_steering(data_folder, loop.answer):
            loop.run(process.pulse, ending=ending)
        sender.release()
        alive.release()
    return 0


def count_in_files(targets: TargetFolder, clock: Clock) -> Callable[[str], WriteCounter]:
    """Return the counter of a device's writes by its address; one device has one."""
    counters: dict[str, FileWrites] = {}

    def count_writes(device: str) -> WriteCounter:
        if device not in counters:
            counters[device] = FileWrites(targets.folder, clock, device)
        return counters[device]

    return count_writes


def take_lock(lock: FolderLock, pulse: Liveness, ending: threading.Event) -> bool:
    """Wait until no other process steers; return False where this one ends first."""
    is_waiting = False
    while not lock.take():
        if not is_waiting:
            log.info("another process steers; this one waits")
            is_waiting = True
        pulse.beat()
        if ending.wait(LOCK_SECONDS):
            return False
    return True


if __name__ == "__main__":
    exit_from(main, log, "steering cannot start")
