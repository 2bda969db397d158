"""The fortnight's charging station, whose owner's app has it offer less than Luna's limit."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.fortnight.charging_station import IDENTITY, STATION_MESSAGES, ChargingStation
from bench.fortnight.direct_link import LinkFaults, WriteTimes
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_battery import BatteryCharge
from luna.simulated_home.car import CarState
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.house import HomeState
from services.ocpp.offer_watch import READ_SECONDS
from tests.support.charge_points.central import Central, run_with_central, wait_until

CAR = CarState(20.0, power_kw=8.28, charge_kwh=1000.0)
HOME = HomeState(1_800_000_000.0, BatteryCharge(3.0), car=CAR)
LIMIT_A = 12.0


@pytest.mark.parametrize("product", sorted(STATION_MESSAGES))
def test_what_an_app_sets_is_found_within_two_minutes_and_overruled_once(
    tmp_path: Path, product: str
) -> None:
    async def test(central: Central) -> None:
        times = WriteTimes()
        station = ChargingStation(
            HomeCharger(load_profile(product, tmp_path), HOME),
            central.port,
            now=lambda: datetime.now(UTC),
            read_car=lambda: CAR,
            faults=LinkFaults(),
            times=times,
        )
        await station.open()
        reached = central.reach(IDENTITY)
        await reached.write(set_current_a=LIMIT_A, set_charging=1)

        async def live_a_minute() -> None:
            central.seconds.ahead += READ_SECONDS + 1
            await reached.holds()
            await station.live()

        await live_a_minute()
        assert station.offered.current_a == LIMIT_A
        await station.command_by_app()
        assert station.offered.current_a == 0
        await live_a_minute()
        await live_a_minute()
        await wait_until(lambda: station.offered.current_a == LIMIT_A)
        assert times.count == 2
        await station.close()

    run_with_central(test, tmp_path)
