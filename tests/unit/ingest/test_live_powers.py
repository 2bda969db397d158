"""What flows at this moment, from the readings that come in."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from luna.contracts.live_flow import LiveFlow
from luna.energy.site import Site, parse_site
from services.ingest.listening.live_powers import LivePowers
from services.ingest.source_readings import Reading

NOW = datetime.fromisoformat("2026-05-20T06:44:00+00:00")
SECOND = timedelta(seconds=1)
ROLES = {
    "total_grid_import": "mqtt:grid [W]",
    "total_grid_export": "-mqtt:grid [W]",
    "total_pv_production": "mqtt:roof [W]",
    "total_battery_charge": "mqtt:charge [W]",
    "total_battery_discharge": "mqtt:discharge [W]",
    "battery_soc": "mqtt:soc [%]",
}
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


def home(roles: dict[str, Any], **parts: Any) -> Site:
    site = {
        "name": "home",
        "timezone": "Europe/Berlin",
        "pv": [{"name": "roof", "peak_kw": 8}],
        "batteries": [BATTERY],
        "input_sensors": roles,
    }
    return parse_site(site | parts)


def note(
    powers: LivePowers,
    sensor: str,
    value: float,
    unit: str = "W",
    *,
    at: datetime = NOW,
    changes_only: bool = False,
    **parts: Any,
) -> None:
    powers.note("mqtt", [Reading(sensor, at, value, unit, **parts)], changes_only=changes_only)


def note_house(powers: LivePowers, *, at: datetime = NOW, **watts: float) -> None:
    """Take a reading of each power, and how full the battery is."""
    for name, value in (
        {"grid": -300.0, "roof": 5600.0, "charge": 4600.0, "discharge": 0.0} | watts
    ).items():
        note(powers, f"mqtt:{name} [W]", value, at=at)
    note(powers, "mqtt:soc [%]", 64.0, "%", at=at)


def test_what_was_read_in_the_last_seconds_adds_up() -> None:
    powers = LivePowers()
    note_house(powers, at=NOW - 4 * SECOND)
    flow = powers.read_flow(home(ROLES), now=NOW)
    assert flow is not None
    assert (
        flow.import_kw,
        flow.export_kw,
        flow.pv_kw,
        flow.charge_kw,
        flow.discharge_kw,
    ) == pytest.approx((0.0, 0.3, 5.6, 4.6, 0.0))
    # 5.6 of the roof, less 4.6 into the battery and 0.3 sold.
    assert flow.load_kw == pytest.approx(0.7)
    assert flow.at == NOW - 4 * SECOND
    assert flow.soc == pytest.approx(0.64)


@pytest.mark.parametrize("grid_w", [2_147_483_647.0, -2_147_483_647.0, -3.4e38, 400_000.0])
def test_a_power_that_no_home_has_is_unknown_in_both_directions(grid_w: float) -> None:
    powers = LivePowers()
    note_house(powers, grid=grid_w)
    assert powers.read_flow(home(ROLES), now=NOW) is None


@pytest.mark.parametrize("silent", ["grid", "roof", "charge", "discharge"])
def test_nothing_is_live_while_one_part_of_the_balance_is_older_than_a_minute(silent: str) -> None:
    powers = LivePowers()
    note_house(powers, at=NOW - 61 * SECOND)
    for name in {"grid", "roof", "charge", "discharge"} - {silent}:
        note(powers, f"mqtt:{name} [W]", 100.0)
    assert powers.read_flow(home(ROLES), now=NOW) is None
    note(powers, f"mqtt:{silent} [W]", 100.0)
    assert powers.read_flow(home(ROLES), now=NOW) is not None
    note(powers, f"mqtt:{silent} [W]", float("nan"), at=NOW + SECOND)
    assert powers.read_flow(home(ROLES), now=NOW + SECOND) is None


def test_a_roof_that_reports_nothing_at_night_gives_nothing() -> None:
    place = {"location": {"latitude": 52.0, "longitude": 10.0}}
    flows = []
    for now in (datetime.fromisoformat("2026-05-20T23:00:00+00:00"), NOW):
        powers = LivePowers()
        note_house(powers, at=now, grid=400.0, charge=0.0)
        note(powers, "mqtt:roof [W]", float("nan"), at=now + SECOND)
        flows.append(powers.read_flow(home(ROLES, **place), now=now + SECOND))
    by_night, by_day = flows
    assert by_night is not None
    assert (by_night.pv_kw, by_night.load_kw) == pytest.approx((0.0, 0.4))
    assert by_day is None


def note_changes(powers: LivePowers, *, pause: timedelta) -> None:
    """Take two reports of each power, the last of them three hours ago, and one of something else
    just now.
    """
    for name, watts in {"grid": 500.0, "roof": 0.0, "charge": 0.0, "discharge": 0.0}.items():
        note(
            powers,
            f"mqtt:{name} [W]",
            watts + 10.0,
            at=NOW - timedelta(hours=3) - pause,
            changes_only=True,
        )
        note(powers, f"mqtt:{name} [W]", watts, at=NOW - timedelta(hours=3), changes_only=True)
    note(powers, "sensor.outside", 12.0, "°C", at=NOW - 2 * SECOND, changes_only=True)


def test_a_source_of_changes_alone_holds_its_values_as_long_as_it_says_anything() -> None:
    powers = LivePowers()
    note_changes(powers, pause=timedelta(seconds=10))
    flow = powers.read_flow(home(ROLES), now=NOW)
    assert flow is not None
    assert flow.load_kw == pytest.approx(0.5)
    assert flow.at == NOW - 2 * SECOND
    assert powers.read_flow(home(ROLES), now=NOW + timedelta(minutes=1)) is None


def test_the_silence_of_a_sensor_that_is_asked_every_five_minutes_says_nothing() -> None:
    powers = LivePowers()
    note_changes(powers, pause=timedelta(minutes=5))
    assert powers.read_flow(home(ROLES), now=NOW) is None


# Of a display of 1 Wh the error is 0.1 kW over 36 seconds; one of 10 Wh would need six minutes.
@pytest.mark.parametrize(("step_kwh", "kw"), [(0.0001, 4.6), (0.001, 4.6), (0.01, None)])
def test_a_counter_is_a_power_where_its_steps_are_fine_enough(
    step_kwh: float, kw: float | None
) -> None:
    powers = LivePowers()
    roles = {"total_grid_import": "mqtt:meter [kWh]"}
    for seconds in range(0, 61, 5):
        counted = 1234.0 + 4.6 * seconds / 3600
        note(
            powers,
            "mqtt:meter [kWh]",
            round(counted / step_kwh) * step_kwh,
            "kWh",
            at=NOW + (seconds - 60) * SECOND,
        )
    flow = powers.read_flow(home(roles, pv=[], batteries=[]), now=NOW)
    assert (None if flow is None else pytest.approx(flow.import_kw, abs=0.11)) == kw


def test_a_counter_that_is_reset_says_nothing_until_it_has_risen_again() -> None:
    powers = LivePowers()
    site = home({"total_grid_import": "mqtt:meter [kWh]"}, pv=[], batteries=[])
    note(powers, "mqtt:meter [kWh]", 812.3456, "kWh", at=NOW - 10 * SECOND)
    note(powers, "mqtt:meter [kWh]", 0.0, "kWh", at=NOW - 5 * SECOND)
    assert powers.read_flow(site, now=NOW) is None
    note(powers, "mqtt:meter [kWh]", 0.0010, "kWh")
    flow = powers.read_flow(site, now=NOW)
    assert flow is not None
    # 1 Wh in 5 seconds.
    assert flow.import_kw == pytest.approx(0.72)


def test_the_power_that_a_device_reads_beside_its_counter_is_taken() -> None:
    powers = LivePowers()
    note(powers, "profile:meter@10.0.0.2#import_kwh", 812.0, "kWh", power_kw=1.25)
    flow = powers.read_flow(
        home({"total_grid_import": "profile:meter@10.0.0.2#import_kwh"}, pv=[], batteries=[]),
        now=NOW,
    )
    assert flow is not None
    assert flow.import_kw == 1.25


def test_a_house_without_a_meter_at_its_connection_has_one_of_what_it_uses() -> None:
    powers = LivePowers()
    note_house(powers)
    note(powers, "mqtt:house [W]", 700.0)
    roles = {
        name: sensor for name, sensor in ROLES.items() if not name.startswith("total_grid")
    } | {"total_load_consumption": "mqtt:house [W]"}
    flow = powers.read_flow(home(roles), now=NOW)
    assert flow is not None
    assert (flow.load_kw, flow.export_kw, flow.import_kw) == pytest.approx((0.7, 0.3, 0.0))


def test_each_of_two_batteries_has_its_own_power_and_charge() -> None:
    powers = LivePowers()
    note_house(powers)
    for name, watts in {"garage_in": 0.0, "garage_out": 600.0}.items():
        note(powers, f"mqtt:{name} [W]", watts)
    note(powers, "mqtt:garage_soc [%]", 20.0, "%")
    garage = {"name": "garage", "capacity_kwh": 5, "charge_limit_kw": 2, "discharge_limit_kw": 2}
    pairs = {
        "total_battery_charge": "garage_in [W]",
        "total_battery_discharge": "garage_out [W]",
        "battery_soc": "garage_soc [%]",
    }
    roles = ROLES | {role: [ROLES[role], f"mqtt:{topic}"] for role, topic in pairs.items()}
    flow = powers.read_flow(home(roles, batteries=[BATTERY, garage]), now=NOW)
    assert isinstance(flow, LiveFlow)
    assert flow.batteries_kw == {"battery": pytest.approx(4.6), "garage": pytest.approx(-0.6)}
    assert flow.battery_socs == {"battery": pytest.approx(0.64), "garage": pytest.approx(0.2)}
    # 10 kWh at 64 % and 5 kWh at 20 %.
    assert flow.soc == pytest.approx(7.4 / 15)
    assert flow.load_kw == pytest.approx(1.3)


PHASES = ["sensor.phase_1", "sensor.phase_2", "-sensor.phase_3"]


def note_phases(powers: LivePowers, *watts: float, at: datetime = NOW) -> None:
    for number, value in enumerate(watts, start=1):
        note(powers, f"sensor.phase_{number}", value, at=at)


def test_each_phase_has_its_power_with_the_sign_of_its_sensor() -> None:
    powers = LivePowers()
    site = home(ROLES | {"grid_phase_import": PHASES})
    note_house(powers, at=NOW)
    note_phases(powers, 2300.0, -400.0, -1000.0)
    flow = powers.read_flow(site, now=NOW)
    assert flow is not None
    assert flow.phases_kw == pytest.approx([2.3, -0.4, 1.0])


def test_phases_are_unknown_while_one_of_them_is_silent() -> None:
    powers = LivePowers()
    site = home(ROLES | {"grid_phase_import": PHASES})
    note_house(powers, at=NOW)
    note_phases(powers, 2300.0, 400.0)
    flow = powers.read_flow(site, now=NOW)
    assert flow is not None
    assert flow.phases_kw == []
