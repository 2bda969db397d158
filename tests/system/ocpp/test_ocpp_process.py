"""The process that charge points connect to: without database and queue, killed, started anew."""

import asyncio
import signal
from contextlib import AbstractContextManager
from pathlib import Path

from luna.contracts.charge_points import ListChargePoints
from luna.drivers.charge_point_channel import ChargePointClient
from luna.drivers.ocpp_points import list_charge_points
from luna.drivers.points import PointValue
from tests.support.charge_points.central import make_points
from tests.support.charge_points.raw_charge_point import RawChargePoint, connected
from tests.support.worker.processes import ask, free_port, luna_process
from tests.support.worker.workers import Worker, kill, wait_for

LIMIT = [PointValue("set_current_a", 10.0), PointValue("set_charging", 1.0)]


def start(data_folder: Path, port: int, health_port: int) -> AbstractContextManager[Worker]:
    return luna_process(
        "services.ocpp",
        "--health-port",
        str(health_port),
        data_folder=str(data_folder),
        ocpp_port=str(port),
    )


def is_served(data_folder: Path) -> bool:
    client = ChargePointClient(data_folder, patience_s=1)
    try:
        client.ask(ListChargePoints())
    except OSError:
        return False
    finally:
        client.close()
    return True


async def set_limit(data_folder: Path, port: int, raw: RawChargePoint) -> None:
    async with connected(port, "garage", raw):
        await raw.boot("Wallbox", "Pulsar")
        points = make_points("garage", data_folder)
        try:
            await asyncio.to_thread(points.write, LIMIT)
            assert all(await asyncio.to_thread(points.hold, LIMIT))
        finally:
            points.close()
        assert raw.current_a == 10
        await raw.begin("2026-02-01T08:00:00Z")


def test_killed_it_knows_its_charge_points_again(tmp_path: Path) -> None:
    port = free_port()
    health_port = free_port()
    raw = RawChargePoint()
    with start(tmp_path, port, health_port) as process:
        wait_for(lambda: is_served(tmp_path))
        wait_for(lambda: ask(health_port, "ready")[0] == 200)
        asyncio.run(set_limit(tmp_path, port, raw))
        kill(process)
    raw.profiles.clear()
    with start(tmp_path, port, health_port) as process:
        wait_for(lambda: is_served(tmp_path))
        [seen] = list_charge_points(tmp_path)
        assert seen.accepted
        assert seen.boot.model == "Pulsar"
        first = raw.transaction
        asyncio.run(set_limit(tmp_path, port, raw))
        # It sent the same session again.
        assert raw.transaction == first
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_port_that_is_taken_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    with (
        start(tmp_path / "one", port, free_port()),
        start(tmp_path / "two", port, free_port()) as second,
    ):
        (tmp_path / "one").mkdir(exist_ok=True)
        (tmp_path / "two").mkdir(exist_ok=True)
        wait_for(lambda: is_served(tmp_path / "two"))
        assert second.poll() is None
