"""A charge point that somebody else has offer less than the limit that it accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from luna.contracts.charge_points import ChargePointState
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.obedience import OBEYS_WITHIN_S
from luna.drivers.profiled_device import reach_device
from luna.energy.devices.commands import Via
from services.ocpp.charging_schedule import RENEW_SECONDS
from services.ocpp.offer_watch import FOLLOWS_SECONDS, READ_SECONDS
from tests.support.charge_points.central import Central, Reached, run_with_central, wait_until
from tests.support.charge_points.raw_charge_point import RawChargePoint, connected


async def look_later(central: Central, raw: RawChargePoint, reached: Reached) -> None:
    """Let a minute pass, after which it sends its values."""
    # The answer to whatever came before counts by the time before.
    await raw.call("Heartbeat", {})
    while not await reached.holds():  # noqa: ASYNC110 - the process has no event to wait for
        await asyncio.sleep(0.01)
    central.seconds.ahead += READ_SECONDS + 1
    await reached.holds()
    await raw.send_values()


async def state_of(raw: RawChargePoint, reached: Reached) -> ChargePointState:
    """Return its state once the process has taken all that it sent."""
    await raw.call("Heartbeat", {})
    return await asyncio.to_thread(reached.points._ask_state)


def run_charging(
    test: Callable[[Central, RawChargePoint, Reached], Awaitable[None]], data_folder: Path
) -> None:
    """Run a test with a charge point that charges with 12 A."""

    async def charge(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.set_status("Preparing")
            reached = central.reach("garage")
            await reached.write(set_current_a=12, set_charging=1)
            await raw.set_status("Charging")
            await test(central, raw, reached)

    run_with_central(charge, data_folder)


def test_a_schedule_that_allows_less_is_read_back_and_the_limit_sent_once_more(
    tmp_path: Path,
) -> None:
    async def test(central: Central, raw: RawChargePoint, reached: Reached) -> None:
        await look_later(central, raw, reached)
        asked = await raw.wait_for("GetCompositeSchedule")
        assert asked == {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"}
        raw.app_a = 8
        await look_later(central, raw, reached)
        await raw.wait_for("SetChargingProfile", 2)
        # It stays so, whatever is sent to it.
        for count in range(3, 6):
            await look_later(central, raw, reached)
            await raw.wait_for("GetCompositeSchedule", count)
        assert await reached.read("offered_a") == {"offered_a": 8}
        state = await state_of(raw, reached)
        assert (state.overridden, raw.count("SetChargingProfile")) == (1, 2)
        raw.app_a = 16
        await look_later(central, raw, reached)
        await raw.wait_for("GetCompositeSchedule", 6)
        assert not (await state_of(raw, reached)).overridden
        # Between sessions none of its schedules need be in force.
        await raw.set_status("Finishing")
        raw.app_a = 0
        await look_later(central, raw, reached)
        assert not (await state_of(raw, reached)).overridden
        assert (raw.count("SetChargingProfile"), raw.count("GetCompositeSchedule")) == (2, 6)

    run_charging(test, tmp_path)


def test_a_drop_of_what_the_car_draws_has_the_schedules_read_at_once(tmp_path: Path) -> None:
    async def test(central: Central, raw: RawChargePoint, reached: Reached) -> None:
        await look_later(central, raw, reached)
        await raw.wait_for("GetCompositeSchedule")
        raw.app_a = 6
        await raw.send_values()
        await raw.wait_for("GetCompositeSchedule", 2)
        await raw.wait_for("SetChargingProfile", 2)

    run_charging(test, tmp_path)


def test_what_a_charger_never_offered_is_nobody_elses_limit(tmp_path: Path) -> None:
    async def test(central: Central, raw: RawChargePoint, reached: Reached) -> None:
        raw.app_a = 8
        for count in (1, 2):
            await look_later(central, raw, reached)
            await raw.wait_for("GetCompositeSchedule", count)
        await wait_until(lambda: raw.count("SetChargingProfile") == 2)
        assert not (await state_of(raw, reached)).overridden
        assert await reached.read("offered_a") == {"offered_a": 8}

    run_charging(test, tmp_path)


@pytest.mark.parametrize(("refusal", "later"), [("NotSupported", 1), ("Rejected", 2)])
def test_one_that_does_not_tell_its_schedules_is_asked_no_more_or_later(
    tmp_path: Path, refusal: str, later: int
) -> None:
    async def test(central: Central, raw: RawChargePoint, reached: Reached) -> None:
        raw.refuses["GetCompositeSchedule"] = refusal
        for _ in range(3):
            await look_later(central, raw, reached)
        await raw.wait_for("GetCompositeSchedule")
        assert raw.count("GetCompositeSchedule") == 1
        assert raw.count("SetChargingProfile") == 1
        for _ in range(int(RENEW_SECONDS / READ_SECONDS)):
            await look_later(central, raw, reached)
        await state_of(raw, reached)
        assert raw.count("GetCompositeSchedule") == later
        assert await reached.holds()

    run_charging(test, tmp_path)


def test_without_schedules_what_it_measures_is_the_reason_to_send_the_limit_once(
    tmp_path: Path,
) -> None:
    async def test(central: Central, raw: RawChargePoint, reached: Reached) -> None:
        raw.refuses["GetCompositeSchedule"] = "NotSupported"
        await look_later(central, raw, reached)
        await raw.wait_for("GetCompositeSchedule")
        await look_later(central, raw, reached)
        raw.app_a = 6
        await look_later(central, raw, reached)
        await raw.wait_for("SetChargingProfile", 2)
        await look_later(central, raw, reached)
        # The car may be nearly full: nobody is accused.
        assert not (await state_of(raw, reached)).overridden
        await raw.set_status("SuspendedEVSE")
        assert (await state_of(raw, reached)).overridden
        await raw.set_status("Charging")
        assert not (await state_of(raw, reached)).overridden
        assert raw.count("SetChargingProfile") == 2
        assert raw.count("GetCompositeSchedule") == 1

    run_charging(test, tmp_path)


def test_a_charger_under_command_that_offers_less_does_something_else(tmp_path: Path) -> None:
    charge = DeviceCommand("charge", current_a=12, power_w=8280)

    async def test(central: Central) -> None:
        device = reach_device(Via(profile="ocpp_generic", host="garage"), tmp_path)
        ahead = central.seconds
        session = CommandSession(device, now=lambda: ahead.ahead, look_seconds=1e6)
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.set_status("Preparing")
            await asyncio.to_thread(session.command, charge)
            await raw.set_status("Charging")

            async def live(seconds: float) -> None:
                await raw.call("Heartbeat", {})
                while await asyncio.to_thread(session.read_back) is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                central.seconds.ahead += seconds
                await asyncio.to_thread(session.read_back)
                await raw.send_values()
                await asyncio.to_thread(session.look)

            await live(FOLLOWS_SECONDS + 1)
            await raw.wait_for("GetCompositeSchedule")
            raw.app_a = 8
            for count in range(2, 6):
                await live(READ_SECONDS + 1)
                await raw.wait_for("GetCompositeSchedule", count)
            assert READ_SECONDS * 4 > OBEYS_WITHIN_S
            await live(READ_SECONDS + 1)
            assert await asyncio.to_thread(session.read_back) == charge
            assert session.disobeys
            assert raw.count("SetChargingProfile") == 2
            assert central.seconds.ahead < RENEW_SECONDS
        await asyncio.to_thread(session.close)

    run_with_central(test, tmp_path)
