"""A charge point under command by its profile, as executor and steering have it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.command_trial import move_commanded, own_command
from luna.drivers.profiled_device import reach_device
from luna.drivers.profiles import PACKAGED, load_profile
from luna.energy.devices.commands import Via
from luna.energy.site import parse_site
from tests.support.charge_points.central import Central, run_with_central, wait_until
from tests.support.charge_points.raw_charge_point import RawChargePoint, connected

BY_OCPP = sorted(path.stem for path in PACKAGED.glob("ocpp_*.yaml"))
CHARGE = DeviceCommand("charge", current_a=10, phases=3, power_w=6900)
STOP = DeviceCommand("stop")
OWN = DeviceCommand("own", stand_in="charge", current_a=16, power_w=11_040)


@asynccontextmanager
async def commanding(profile: str, data_folder: Path) -> AsyncIterator[CommandSession]:
    device = reach_device(Via(profile=profile, host="garage"), data_folder)
    session = CommandSession(device, look_seconds=1e6)
    try:
        yield session
    finally:
        await asyncio.to_thread(session.close)


@pytest.mark.parametrize("profile", BY_OCPP)
def test_each_profile_charges_pauses_and_hands_back(tmp_path: Path, profile: str) -> None:
    identified = load_profile(profile, tmp_path).identified
    said = {rule.field_: rule.example for rule in identified.documents} if identified else {}

    async def test(central: Central) -> None:
        async with (
            connected(central.port, "garage") as raw,
            commanding(profile, tmp_path) as session,
        ):
            await raw.boot(str(said.get("vendor", "Any")))
            await raw.set_status("Preparing")
            await asyncio.to_thread(session.command, CHARGE)
            assert raw.current_a == pytest.approx(10)
            assert await asyncio.to_thread(session.read_back) == CHARGE
            if raw.count("RemoteStartTransaction"):
                assert raw.received[-1][1]["idTag"] == "luna"
            await asyncio.to_thread(session.command, STOP)
            assert raw.current_a == 0
            assert await asyncio.to_thread(session.read_back) == STOP
            await asyncio.to_thread(session.command, OWN)
            assert raw.current_a == 16
            assert await asyncio.to_thread(session.read_back) == OWN

    run_with_central(test, tmp_path)


def test_one_that_is_connected_with_one_phase_gets_its_limit_for_one(tmp_path: Path) -> None:
    order = DeviceCommand("charge", current_a=10, fixed_phases=1, power_w=2300)

    async def test(central: Central) -> None:
        async with (
            connected(central.port, "garage") as raw,
            commanding("ocpp_generic", tmp_path) as session,
        ):
            await raw.boot()
            await raw.set_status("Preparing")
            await asyncio.to_thread(session.command, order)
            [profile] = raw.profiles.values()
            period = profile["chargingSchedule"]["chargingSchedulePeriod"][0]
            assert (period["limit"], period["numberPhases"]) == (10, 1)
            assert await asyncio.to_thread(session.read_back) == order

    run_with_central(test, tmp_path)


def test_one_that_refuses_its_only_number_of_phases_is_left_to_its_wiring(tmp_path: Path) -> None:
    order = DeviceCommand("charge", current_a=10, fixed_phases=3, power_w=6900)

    class UnswitchedCharger(RawChargePoint):
        def _find_refusal(self, action: str, payload: dict[str, Any]) -> str | None:
            is_limit = action == "SetChargingProfile"
            return "FormationViolation" if is_limit and "numberPhases" in str(payload) else None

    async def test(central: Central) -> None:
        raw = UnswitchedCharger()
        raw.refusal_words = "unknown field numberPhases"
        async with (
            connected(central.port, "garage", raw),
            commanding("ocpp_generic", tmp_path) as session,
        ):
            await raw.boot()
            await raw.set_status("Preparing")
            await asyncio.to_thread(session.command, order)
            assert await asyncio.to_thread(session.read_back) == order
            lower = replace(order, current_a=8, power_w=5520)
            await asyncio.to_thread(session.command, lower)
            assert await asyncio.to_thread(session.read_back) == lower
            assert (raw.current_a, raw.count("SetChargingProfile")) == (8, 3)

    run_with_central(test, tmp_path)


@pytest.mark.parametrize("profile", BY_OCPP)
def test_one_that_comes_back_follows_its_command_again(tmp_path: Path, profile: str) -> None:
    async def test(central: Central) -> None:
        raw = RawChargePoint()
        async with commanding(profile, tmp_path) as session:
            async with connected(central.port, "garage", raw):
                await raw.boot()
                await asyncio.to_thread(session.command, CHARGE)
                await raw.break_off()
            raw.profiles.clear()
            await wait_until(lambda: not central.list()["garage"].connected)
            async with connected(central.port, "garage", raw):
                await raw.boot()
                async with asyncio.timeout(5):
                    while await asyncio.to_thread(session.read_back) != CHARGE:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                assert raw.current_a == pytest.approx(10)

    run_with_central(test, tmp_path)


@pytest.mark.parametrize(("phases", "limit_w"), [([1], 1380), ([3], 4140), (None, 1380)])
def test_a_trial_in_watts_is_six_amperes_on_the_phases_that_are_known(
    tmp_path: Path, phases: list[int] | None, limit_w: int
) -> None:
    car = {"name": "car", "capacity_kwh": 60, "charger": {"phases": phases}}
    site = {"name": "home", "timezone": "Europe/Berlin", "vehicles": [car]}
    known = None if phases is None else parse_site(site)
    moment = itertools.count(step=20)

    def try_it() -> None:
        with closing(reach_device(Via(profile="ocpp_generic", host="garage"), tmp_path)) as device:
            own = own_command(device.profile, known, "car")
            move_commanded(device, own, now=lambda: float(next(moment)), sleep=lambda _: None)

    async def test(central: Central) -> None:
        raw = RawChargePoint(ChargingScheduleAllowedChargingRateUnit="Power")
        async with connected(central.port, "garage", raw):
            await raw.boot()
            await raw.set_status("Preparing")
            await asyncio.to_thread(try_it)
            limits = []
            for action, payload in raw.received:
                if action == "SetChargingProfile":
                    schedule = payload["csChargingProfiles"]["chargingSchedule"]
                    assert schedule["chargingRateUnit"] == "W"
                    limits.append(schedule["chargingSchedulePeriod"][0]["limit"])
            assert limits[0] == limit_w
            assert raw.count("ClearChargingProfile")

    run_with_central(test, tmp_path)
