"""A charge point by hand: found, accepted, set, lost, back again, offline for a while."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from luna.energy.errors import UnavailableError
from services.ocpp.charge_point import ASKED_SECONDS
from services.ocpp.charging_schedule import RENEW_SECONDS
from services.ocpp.offer_watch import FOLLOWS_SECONDS
from tests.support.charge_points.central import (
    Central,
    run_with_central,
    wait_until,
)
from tests.support.charge_points.raw_charge_point import RawChargePoint, connected


def test_a_charge_point_that_no_site_has_is_listed_and_commanded_nothing(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            answer = await raw.boot("Wallbox", "Pulsar", firmwareVersion="5.1")
            assert answer["status"] == "Accepted"
            assert answer["interval"] > 0
            assert answer["currentTime"].endswith("Z")
            await raw.set_status("Preparing")
            await raw.begin()
            seen = central.list()["garage"]
            assert (seen.boot.vendor, seen.boot.model) == ("Wallbox", "Pulsar")
            assert seen.connected
            assert not seen.accepted
            await asyncio.sleep(0.15)
            assert raw.received == []

    run_with_central(test, tmp_path)


def test_an_accepted_one_gets_current_and_phases_and_says_what_it_measures(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.set_status("Preparing")
            reached = central.reach("garage")
            await reached.write(set_current_a=10, set_phases=3, set_charging=1)
            profile = raw.profiles[1]
            assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
            assert profile["stackLevel"] == 8
            schedule = profile["chargingSchedule"]
            assert schedule["chargingRateUnit"] == "A"
            period, _ = schedule["chargingSchedulePeriod"]
            assert period == {"startPeriod": 0, "limit": 10, "numberPhases": 3}
            assert await reached.holds()
            assert raw.settings["MeterValueSampleInterval"] == "10"
            assert raw.settings["MeterValuesSampledData"].startswith("Power.Active.Import,")
            assert central.list()["garage"].accepted

            await raw.begin()
            await raw.set_status("Charging")
            raw.meter_wh += 2500
            await raw.send_values()
            values = await reached.read(
                "power_w", "energy_kwh", "session_kwh", "current_a", "offered_a", "phases",
                "car_state", "connected",
            )  # fmt: skip
            assert values == {
                "power_w": pytest.approx(6900),
                "energy_kwh": 3.5,
                "session_kwh": 2.5,
                "current_a": 10.0,
                "offered_a": 10.0,
                "phases": 3.0,
                "car_state": 2.0,
                "connected": 1.0,
            }
            await reached.write(set_current_a=6, set_phases=1, set_charging=1)
            period, _ = raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert (period["limit"], period["numberPhases"]) == (6, 1)
            await reached.write(set_charging=0)
            period, _ = raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert period["limit"] == 0
            await reached.write(set_own=1)
            assert raw.profiles == {}
            assert await reached.holds()

    run_with_central(test, tmp_path)


def test_after_a_lost_connection_it_is_set_again(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        raw = RawChargePoint()
        reached = central.reach("garage")
        async with connected(central.port, "garage", raw):
            await raw.boot()
            await reached.write(set_current_a=12, set_charging=1)
            await raw.break_off()
        await wait_until(lambda: not central.list()["garage"].connected)
        with pytest.raises(UnavailableError) as away:
            await reached.read("power_w")
        assert away.value.reason == "charge-point-away"
        raw.profiles.clear()
        async with connected(central.port, "garage", raw):
            # It comes back without a boot, and is asked for one.
            trigger = await raw.wait_for("TriggerMessage", raw.count("TriggerMessage") + 1)
            assert trigger["requestedMessage"] == "BootNotification"
            await wait_until(lambda: 1 in raw.profiles)
            assert raw.current_a == 12

    run_with_central(test, tmp_path)


@pytest.mark.parametrize("commanded", [{"set_charging": 0}, {"set_current_a": 16}])
def test_once_nobody_commands_it_the_safe_limit_counts(
    tmp_path: Path, commanded: dict[str, float]
) -> None:
    async def test(central: Central) -> None:
        raw = RawChargePoint()
        async with connected(central.port, "garage", raw):
            await raw.boot()
            await central.reach("garage").write(**{"set_charging": 1, "set_phases": 3} | commanded)
            central.seconds.ahead += ASKED_SECONDS - 20
            await raw.set_status("Preparing")
            await raw.call("Heartbeat", {})
            assert raw.current_a != 6
            central.seconds.ahead += 40
            await raw.set_status("Charging")
            await raw.wait_for("SetChargingProfile", 2)
            assert raw.current_a == 6
            # It also counts after a reboot, which forgets it.
            raw.profiles.clear()
            await raw.boot()
            await raw.wait_for("SetChargingProfile", 3)
            assert raw.current_a == 6
            assert raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"] == [
                {"startPeriod": 0, "limit": 6, "numberPhases": 3}
            ]

    run_with_central(test, tmp_path)


def test_the_safe_limit_of_a_product_and_in_watts(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage", safe_a=8, rate_unit="W")
            # Connected with one phase, which its power alone says.
            await reached.write(set_current_a=10, set_power_w=2300, set_charging=1)
            central.seconds.ahead += 3600
            await raw.set_status("Charging")
            await raw.wait_for("SetChargingProfile", 2)
            [period] = raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert period["limit"] == 8 * 230

    run_with_central(test, tmp_path)


def test_one_that_was_handed_back_gets_no_safe_limit(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            await reached.write(set_current_a=12, set_charging=1)
            await reached.write(set_own=1)
            raw.received.clear()
            central.seconds.ahead += 3600
            await raw.boot()
            await raw.set_status("Preparing")
            await asyncio.sleep(0.1)
            assert raw.received == []
            assert raw.profiles == {}

    run_with_central(test, tmp_path)


def test_without_luna_a_limit_ends_by_itself_and_luna_renews_it(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            await reached.write(set_current_a=16, set_charging=1)
            raw.profile_age_s = 1799
            assert raw.current_a == 16
            raw.profile_age_s = 1800
            assert raw.current_a == 6
            raw.profiles.clear()
            for count, status in ((1, "Preparing"), (2, "Charging")):
                # Whoever commands it reads it back all the time.
                for _ in range(5):
                    central.seconds.ahead += RENEW_SECONDS / 5
                    assert await reached.holds()
                await raw.set_status(status)
                await raw.wait_for("SetChargingProfile", 1 + count)
            assert raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"] == [
                {"startPeriod": 0, "limit": 16},
                {"startPeriod": 1800, "limit": 6},
            ]

    run_with_central(test, tmp_path)


@pytest.mark.parametrize(("offered_a", "sent"), [("9.0", 1), ("16.0", 2)])
def test_one_that_offers_more_than_its_limit_gets_it_again_once(
    tmp_path: Path, offered_a: str, sent: int
) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage").write(set_current_a=9, set_charging=1)
            offered = {"measurand": "Current.Offered", "value": offered_a, "unit": "A"}
            values = {"timestamp": datetime.now(UTC).isoformat(), "sampledValue": [offered]}
            payload = {"connectorId": 1, "meterValue": [values]}
            # At once it may not have followed yet.
            await raw.call("MeterValues", payload)
            central.seconds.ahead += FOLLOWS_SECONDS + 1
            await raw.call("MeterValues", payload)
            await raw.wait_for("SetChargingProfile", sent)
            central.seconds.ahead += FOLLOWS_SECONDS + 1
            await raw.call("MeterValues", payload)
            assert await central.reach("garage").read("offered_a") == {
                "offered_a": float(offered_a)
            }
            assert raw.count("SetChargingProfile") == sent

    run_with_central(test, tmp_path)


def test_a_renewal_that_was_refused_is_sent_again(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            await reached.write(set_current_a=16, set_charging=1)
            raw.refuses["SetChargingProfile"] = "Rejected"
            central.seconds.ahead += RENEW_SECONDS
            await reached.holds()
            await raw.set_status("Preparing")
            # With the safe limit after it, and without.
            await raw.wait_for("SetChargingProfile", 3)
            del raw.refuses["SetChargingProfile"]
            raw.profiles.clear()
            await raw.set_status("Charging")
            await wait_until(lambda: 1 in raw.profiles)

    run_with_central(test, tmp_path)


def test_a_relative_limit_ends_so_long_after_the_session_began(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.begin((datetime.now(UTC) - timedelta(hours=2)).isoformat())
            reached = central.reach("garage", profile_kind="Relative")
            await reached.write(set_current_a=16, set_charging=1)
            _, last = raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert last["startPeriod"] == pytest.approx(7200 + 1800, abs=60)

    run_with_central(test, tmp_path)


@pytest.mark.parametrize("says", ["declares", "reports", "refuses"])
def test_one_that_takes_one_period_alone_gets_one(tmp_path: Path, says: str) -> None:
    class OnePeriod(RawChargePoint):
        def _do(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
            if action == "SetChargingProfile":
                schedule = payload["csChargingProfiles"]["chargingSchedule"]
                if len(schedule["chargingSchedulePeriod"]) > 1:
                    return {"status": "Rejected"}
            return super()._do(action, payload)

    settings = {"ChargingScheduleMaxPeriods": "1"} if says == "reports" else {}
    traits = {"one_period": True} if says == "declares" else {}

    async def test(central: Central) -> None:
        async with connected(central.port, "garage", OnePeriod(**settings)) as raw:
            await raw.boot()
            reached = central.reach("garage", **traits)
            await reached.write(set_current_a=10, set_charging=1)
            assert raw.current_a == 10
            assert await reached.holds()
            assert raw.count("SetChargingProfile") == (2 if says == "refuses" else 1)

    run_with_central(test, tmp_path)


class WiredPhases(RawChargePoint):
    """One that refuses a number of phases, and says that."""

    def _find_refusal(self, action: str, payload: dict[str, Any]) -> str | None:
        if action == "SetChargingProfile":
            schedule = payload["csChargingProfiles"]["chargingSchedule"]
            if any("numberPhases" in period for period in schedule["chargingSchedulePeriod"]):
                return "PropertyConstraintViolation"
        return super()._find_refusal(action, payload)


def test_one_that_refuses_a_number_of_phases_gets_none_any_more(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        raw = WiredPhases()
        raw.refusal_words = "numberPhases cannot be set"
        async with connected(central.port, "garage", raw):
            await raw.boot()
            await raw.set_status("Preparing")
            reached = central.reach("garage")
            await reached.write(set_current_a=10, set_phases=3, set_charging=1)
            assert raw.current_a == 10
            assert raw.count("SetChargingProfile") == 2
            # The wiring decides: no number holds.
            assert not await reached.holds()
            await reached.write(set_current_a=8, set_phases=3, set_charging=1)
            assert raw.current_a == 8
            assert raw.count("SetChargingProfile") == 3
            for period in raw.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]:
                assert "numberPhases" not in period
            await reached.write(set_current_a=8, set_charging=1)
            assert await reached.holds()
            assert raw.count("SetChargingProfile") == 3
            await raw.break_off()
        await wait_until(lambda: not central.list()["garage"].connected)
        # Its next connection is asked anew: its firmware may be another one.
        async with connected(central.port, "garage", raw):
            await raw.boot()
            await raw.wait_for("SetChargingProfile", 5)
            assert raw.current_a == 8

    run_with_central(test, tmp_path)


def test_one_that_is_only_read_keeps_no_command_of_who_died(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        raw = RawChargePoint()
        async with connected(central.port, "garage", raw):
            await raw.boot()
            reached = central.reach("garage")
            await reached.write(set_current_a=12, set_charging=1)
            central.seconds.ahead += 3600
            # The recorder reads on.
            await reached.read("power_w")
            await raw.set_status("Preparing")
            await raw.wait_for("SetChargingProfile", 2)
            assert raw.current_a == 6
            # Who commands it asks again: its command counts on.
            await reached.holds()
            await raw.wait_for("SetChargingProfile", 3)
            assert raw.current_a == 12

    run_with_central(test, tmp_path)


def test_one_that_was_left_to_itself_is_started_also_while_it_is_only_read(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage", remote_start=True)
            await reached.write(set_own=1)
            central.seconds.ahead += 3600
            await reached.read("power_w")
            await raw.set_status("Preparing")
            await raw.wait_for("RemoteStartTransaction")

    run_with_central(test, tmp_path)


def test_one_that_says_it_pauses_draws_nothing_any_more(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            await raw.set_status("Charging")
            await raw.send_values()
            assert (await reached.read("power_w"))["power_w"] > 10_000
            # It sends no values while it pauses.
            await raw.set_status("SuspendedEVSE")
            values = await reached.read("power_w", "energy_kwh", "phases")
            assert values == {"power_w": 0, "energy_kwh": 1.0, "phases": 0}

    run_with_central(test, tmp_path)


def test_a_session_of_another_central_system_gives_no_numbers(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.end(2**31 - 1)
            # A charge point keeps it in 32 bits.
            assert await raw.begin() < 2**31 - 1

    run_with_central(test, tmp_path)


def test_what_a_charge_point_says_of_a_refusal_is_short_and_printable(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            raw.refuses["SetChargingProfile"] = "x\nlevel=info event=forged\x1b[2JError"
            with pytest.raises(UnavailableError) as refused:
                await central.reach("garage").write(set_current_a=12, set_charging=1)
            assert refused.value.message.isprintable()
            assert "forged" in refused.value.message

    run_with_central(test, tmp_path)


def test_sessions_of_an_offline_time_are_kept_once(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            await reached.read("power_w")
            # The answer got lost: it sends the same again.
            first = await raw.begin("2026-02-01T08:00:00Z")
            assert await raw.begin("2026-02-01T08:00:00Z") == first
            raw.meter_wh += 7000
            await raw.end(first, "2026-02-01T10:00:00Z")
            await raw.end(first, "2026-02-01T10:00:00Z")
            second = await raw.begin("2026-02-01T11:00:00Z")
            assert second != first
            # An end whose begin never came.
            await raw.end(4711, "2026-02-01T12:00:00Z")
            await raw.end(4711, "2026-02-01T12:00:00Z")
        # Also after Luna started anew.

    run_with_central(test, tmp_path)

    async def again(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            raw.meter_wh += 7000
            assert await raw.begin("2026-02-01T11:00:00Z") > 0
        [file] = (tmp_path / "devices" / "ocpp").glob("*.json")
        kept = json.loads(file.read_text())["transactions"]
        assert [entry["end_wh"] for entry in kept] == [8000, None, 8000]

    run_with_central(again, tmp_path)


def test_a_refused_limit_is_reported_with_its_reason(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage")
            raw.refuses["SetChargingProfile"] = "Rejected"
            with pytest.raises(UnavailableError) as refused:
                await reached.write(set_current_a=10, set_charging=1)
            assert refused.value.reason == "charge-point-refuses"
            assert "SetChargingProfile: Rejected" in str(refused.value)
            raw.refuses["SetChargingProfile"] = "GenericError"
            with pytest.raises(UnavailableError, match="GenericError not today"):
                await reached.write(set_current_a=10, set_charging=1)
            assert not await reached.holds()
            # Refused while idle, it is set once the session begins.
            del raw.refuses["SetChargingProfile"]
            await raw.begin()
            await wait_until(lambda: 1 in raw.profiles)

    run_with_central(test, tmp_path)


def test_one_that_takes_no_zero_has_its_session_ended_and_begun_again(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            reached = central.reach("garage", tag="house")
            await raw.set_status("Preparing")
            number = await raw.begin()
            await raw.set_status("Charging")
            raw.refuses["SetChargingProfile"] = "Rejected"
            await reached.write(set_charging=0)
            assert (await raw.wait_for("RemoteStopTransaction"))["transactionId"] == number
            assert await reached.holds()
            await raw.end(number)
            await raw.set_status("Finishing")
            del raw.refuses["SetChargingProfile"]
            await reached.write(set_charging=1, set_current_a=8)
            start = await raw.wait_for("RemoteStartTransaction")
            assert start == {"connectorId": 1, "idTag": "house"}

    run_with_central(test, tmp_path)


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"stack_level": 0}, {"stackLevel": 0}),
        ({"profile_kind": "Relative"}, {"chargingProfileKind": "Relative"}),
    ],
)
def test_quirks_of_profiles_are_declared(
    tmp_path: Path, traits: dict[str, object], expected: dict[str, object]
) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage", **traits).write(set_current_a=10, set_charging=1)
            assert expected.items() <= raw.profiles[1].items()
            is_relative = raw.profiles[1]["chargingProfileKind"] == "Relative"
            assert is_relative != ("startSchedule" in raw.profiles[1]["chargingSchedule"])

    run_with_central(test, tmp_path)


def test_a_limit_in_watts_where_the_product_wants_it(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage", rate_unit="W").write(
                set_current_a=10, set_phases=1, set_charging=1
            )
            assert raw.profiles[1]["chargingSchedule"]["chargingRateUnit"] == "W"
            assert raw.current_a == 10
        by_itself = RawChargePoint(ChargingScheduleAllowedChargingRateUnit="Power")
        async with connected(central.port, "carport", by_itself):
            await by_itself.boot()
            await central.reach("carport").write(set_current_a=10, set_phases=3, set_charging=1)
            period, _ = by_itself.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert period["limit"] == 6900
            # Connected with one phase, which nobody switches.
            await central.reach("carport").write(set_current_a=10, set_power_w=2300, set_charging=1)
            period, _ = by_itself.profiles[1]["chargingSchedule"]["chargingSchedulePeriod"]
            assert period["limit"] == 2300

    run_with_central(test, tmp_path)


def test_one_that_starts_remotely_is_started_when_the_car_comes(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await raw.set_status("Available")
            await central.reach("garage", remote_start=True).write(set_current_a=10, set_charging=1)
            assert raw.count("RemoteStartTransaction") == 0
            await raw.set_status("Preparing")
            await raw.wait_for("RemoteStartTransaction")
            await raw.begin(tag="luna")
            await raw.set_status("Charging")
            await asyncio.sleep(0.05)
            assert raw.count("RemoteStartTransaction") == 1

    run_with_central(test, tmp_path)


def test_the_most_that_it_ever_takes_and_its_sampling_are_set_once(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        raw = RawChargePoint(MeterValuesSampledDataMaxLength="3")
        async with connected(central.port, "garage", raw):
            await raw.boot()
            reached = central.reach("garage", most_a=13, sample_interval_s=30)
            await reached.read("power_w")
            await wait_until(lambda: 2 in raw.profiles)
            assert raw.profiles[2]["chargingProfilePurpose"] == "ChargePointMaxProfile"
            assert raw.current_a == 13
            await wait_until(lambda: raw.count("TriggerMessage") == 2)
            assert raw.settings["MeterValueSampleInterval"] == "30"
            assert raw.settings["MeterValuesSampledData"].count(",") == 2
            changes = raw.count("ChangeConfiguration")
            await raw.boot()
            await wait_until(lambda: raw.count("TriggerMessage") == 4)
            # What it has already is not written again: that wears its memory out.
            assert raw.count("ChangeConfiguration") == changes

    run_with_central(test, tmp_path)


def test_out_of_service_it_is_set_back_unless_its_product_refuses_that(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        for identity, changes, expected in (("one", True, 1), ("two", False, 0)):
            async with connected(central.port, identity) as raw:
                await raw.boot()
                await raw.set_status("Unavailable")
                reached = central.reach(identity, changes_availability=changes)
                await reached.write(set_current_a=10, set_charging=1)
                assert min(raw.count("ChangeAvailability"), 1) == expected

    run_with_central(test, tmp_path)


def test_cards_of_the_owners_list_alone_may_charge(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            answer = await raw.call("Authorize", {"idTag": "stranger"})
            assert answer["idTagInfo"]["status"] == "Accepted"
            folder = tmp_path / "devices" / "ocpp"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tags.txt").write_text("04AB12\n")
            statuses = []
            for tag in ("stranger", "04ab12", "luna"):
                answer = await raw.call("Authorize", {"idTag": tag})
                statuses.append(answer["idTagInfo"]["status"])
            assert statuses == ["Invalid", "Accepted", "Accepted"]

    run_with_central(test, tmp_path)
