"""``python -m services.ocpp``: lets charge points connect by OCPP, and commands the accepted ones.

It needs no database and no queue.
"""

import asyncio
import signal
from concurrent.futures import CancelledError
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from luna.contracts.charge_points import ChargePointAnswer, ChargePointRequest
from luna.drivers.charge_point_channel import (
    PATIENCE_SECONDS,
    PROCESS_LOCK,
    serve_charge_points,
)
from luna.drivers.folder_lock import FolderLock
from luna.platform.clock import SystemClock
from luna.platform.health.readiness import Liveness
from luna.platform.service_process import (
    add_stall_option,
    exit_from,
    health_parser,
    serverless_process,
)
from services.ocpp import server
from services.ocpp.central_system import CentralSystem
from services.ocpp.records import RecordFolder

BEAT = timedelta(seconds=5)
BEAT_SECONDS = 1.0
# Another program may have the port, or another process of Luna's the folder.
AGAIN_SECONDS = 5.0

log = structlog.get_logger("luna.ocpp")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = health_parser("services.ocpp", __doc__)
    add_stall_option(parser)
    options = parser.parse_args(arguments)
    with serverless_process(
        "ocpp", beat=BEAT, health_port=options.health_port, stall_seconds=options.stall_seconds
    ) as process:
        process.serve_health(()).watch()
        settings = process.settings
        central = CentralSystem(RecordFolder(settings.data_folder), SystemClock())
        asyncio.run(run(central, settings.data_folder, settings.ocpp_port, process.pulse))
    return 0


async def run(central: CentralSystem, data_folder: Path, port: int, pulse: Liveness) -> None:
    """Serve charge points and whoever commands them until a signal."""
    ending = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, ending.set)
    beating = asyncio.create_task(_beat(pulse))
    alive = FolderLock(data_folder, PROCESS_LOCK)
    try:
        if await _take(alive, ending):
            await _serve(central, data_folder, port, ending)
    finally:
        beating.cancel()
        alive.release()


async def _beat(pulse: Liveness) -> None:
    while True:
        pulse.beat()
        await asyncio.sleep(BEAT_SECONDS)


async def _take(lock: FolderLock, ending: asyncio.Event) -> bool:
    """Wait until no other process serves; return False where this one ends first."""
    is_waiting = False
    while not lock.take():
        if not is_waiting:
            log.info("another process serves charge points; this one waits")
            is_waiting = True
        if await _wait(ending):
            return False
    return True


async def _serve(
    central: CentralSystem, data_folder: Path, port: int, ending: asyncio.Event
) -> None:
    central.load()
    loop = asyncio.get_running_loop()

    def answer(request: ChargePointRequest) -> ChargePointAnswer:
        asked = asyncio.run_coroutine_threadsafe(central.answer(request), loop)
        try:
            return asked.result(PATIENCE_SECONDS)
        except (TimeoutError, CancelledError):
            return ChargePointAnswer(fault="silent", reason="no answer in time")

    with serve_charge_points(data_folder, answer):
        is_refused = False
        while not ending.is_set():
            try:
                async with server.serve_charge_points(central, None, port, data_folder=data_folder):
                    log.info("charge points may connect", port=port)
                    await ending.wait()
            except OSError as error:
                if not is_refused:
                    log.warning(
                        "charge points cannot connect",
                        port=port,
                        error=str(error),
                        remedy="Set LUNA_OCPP_PORT to a free port, and at the charge point; or "
                        "put certificate and key into devices/secrets/ocpp-tls.pem.",
                    )
                is_refused = True
                await _wait(ending)


async def _wait(ending: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(AGAIN_SECONDS):
            await ending.wait()
    return ending.is_set()


if __name__ == "__main__":
    exit_from(main, log, "charge points cannot be served")
