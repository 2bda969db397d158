"""Charge points that are connected to Luna, as a search finds them."""

import asyncio
from pathlib import Path

from luna.contracts.device_search import FindDevicesRequest, FoundDevices
from luna.drivers.profiled_device import reach_device
from luna.energy.devices.commands import Via
from services.ingest.commissioning import search_network
from tests.support.charge_points.central import Central, run_with_central, wait_until
from tests.support.charge_points.raw_charge_point import connected

# Nothing answers at that port of this machine.
NOWHERE = FindDevicesRequest(network="127.0.0.1", port=9)


def search(data_folder: Path) -> FoundDevices:
    return search_network(NOWHERE, data_folder)


def test_connected_charge_points_are_found_with_the_profile_of_their_product(
    tmp_path: Path,
) -> None:
    async def test(central: Central) -> None:
        async with (
            connected(central.port, "garage") as wallbox,
            connected(central.port, "carport") as unknown,
        ):
            await wallbox.boot("Wall Box Chargers", "Pulsar", chargePointSerialNumber="4711")
            await unknown.boot("Nobody", "Thing")
            found = await asyncio.to_thread(search, tmp_path)
            devices = {device.host: device for device in found.devices}
            assert devices["garage"].profile == "ocpp_wallbox"
            assert devices["garage"].kind == "charge_point"
            assert (devices["garage"].model, devices["garage"].serial) == ("Pulsar", "4711")
            assert devices["garage"].port is None
            assert devices["carport"].profile == "ocpp_generic"
            # A search accepts none, and sends none anything.
            assert not any(seen.accepted for seen in central.list().values())
            assert wallbox.received == unknown.received == []

    run_with_central(test, tmp_path)


def test_a_found_one_that_is_accepted_reads_by_its_profile(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot("Wallbox", "Pulsar")
            await raw.set_status("Charging")
            await raw.send_values()
            device = reach_device(Via(profile="ocpp_wallbox", host="garage"), tmp_path)
            try:
                values = await asyncio.to_thread(device.read, "car_w", "car_plugged", "car_kwh")
            finally:
                device.close()
            assert values == {"car_w": 11_040, "car_plugged": 1, "car_kwh": 1}
            await wait_until(lambda: central.list()["garage"].accepted)

    run_with_central(test, tmp_path)


def test_where_nobody_serves_charge_points_a_search_finds_none(tmp_path: Path) -> None:
    assert search(tmp_path).devices == []
