"""The page of devices that Luna speaks to itself: what each profile is, rests on and leaves
uncertain, and which cases it is put through in ``test_profiles`` and beside it.

``LUNA_RECORD=1 pytest tests/integration/drivers/test_matrix.py`` writes it anew.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from luna.drivers.profile import DeviceProfile, EvidenceKind, ProfileKind
from luna.drivers.profiles import PACKAGED, describe_fallback, load_profile
from tests.integration.drivers import test_charge_points as commands
from tests.integration.drivers import test_profiles as cases
from tests.integration.drivers import test_pv_inverters as roofs
from tests.integration.drivers.test_profiles import COMMANDED, MODES
from tests.integration.ocpp import test_commanded as by_ocpp

PAGE = Path(__file__).resolve().parents[3] / "docs/guide/reference/devices.md"
KINDS: dict[ProfileKind, str] = {
    "battery_inverter": "Inverters with a battery",
    "pv_inverter": "Solar inverters",
    "meter": "Meters",
    "charge_point": "Chargers",
    "switched_load": "Switched devices",
}
EVIDENCE: dict[EvidenceKind, str] = {
    "owner": "an owner has run it and reported it.",
    "maker": "its maker's papers say so.",
    "reported": (
        "another project uses these values. Luna only reads the device until you have tested it."
    ),
    "simulator": "its own simulator alone, with a client that owes Luna nothing.",
}
OVER = {
    "modbus_tcp": "Modbus TCP",
    "modbus_rtu_tcp": "Modbus RTU over TCP",
    "http": "HTTP",
    "mqtt": "MQTT",
    "ocpp": "OCPP",
    "p1_tcp": "P1 over TCP",
    "p1_serial": "P1, serial",
    "sma_multicast": "UDP multicast",
}
INVERTERS: dict[str, tuple[Callable[..., None], ...]] = {
    "readings": (cases.test_what_is_read_is_what_the_device_does,),
    "limits": (cases.test_what_a_device_can_and_holds_is_read_where_it_says_so,),
    f"{len(MODES)} modes": (cases.test_each_mode_is_taken_read_back_and_done,),
    "power": (
        cases.test_a_step_in_power_changes_what_flows_and_no_more_than_the_device_can_is_asked,
    ),
    "target, reserve": (cases.test_charging_ends_at_the_target_and_giving_at_the_reserve,),
    "unchanged: unwritten": (cases.test_nothing_is_written_where_nothing_changed,),
    "left alone": (cases.test_a_device_that_nobody_asks_for_any_more_is_left_to_itself,),
    "reboot": (
        cases.test_a_device_that_forgot_is_seen_and_commanded_again_by_whoever_asks,
        cases.test_what_a_device_was_told_that_cannot_be_read_back_counts_while_the_connection_lasts,
    ),
    "second master": (
        cases.test_a_second_master_is_seen_and_not_fought,
        cases.test_a_second_master_that_nobody_can_see_is_overruled_with_the_next_repetition,
    ),
    "cut in mid-write": (cases.test_what_breaks_off_in_mid_write_is_said_and_taken_up_again,),
    "unknown number": (cases.test_a_number_that_the_device_does_not_know_is_no_number,),
    "slow, silent": (cases.test_a_slow_device_is_waited_for_and_a_silent_one_named,),
}
METERS: dict[str, tuple[Callable[..., None], ...]] = {
    "directions, counters, unknown numbers": (
        cases.test_a_meter_says_which_way_it_flows_and_counts,
    )
}
READ_ONLY: dict[str, tuple[Callable[..., None], ...]] = {
    "readings": (cases.test_a_battery_that_is_only_read_says_what_it_does,),
}
PV_INVERTERS: dict[str, tuple[Callable[..., None], ...]] = {
    "readings, unknown numbers": (roofs.test_what_it_gives_is_read_and_counted,),
    "limit": (roofs.test_a_limit_is_taken_read_back_and_kept_and_ends_with_the_next_command,),
    "left alone": (roofs.test_a_limit_is_kept_up_while_somebody_asks_for_it_and_ends_without_them,),
    "gives more": (roofs.test_an_inverter_that_takes_a_limit_and_gives_more_is_seen,),
    "cut in mid-write, restart": (roofs.test_an_inverter_that_refuses_or_restarts_is_seen,),
}
CHARGE_POINTS: dict[str, tuple[Callable[..., None], ...]] = {
    "readings": (commands.test_what_is_read_is_what_the_car_does,),
    "charge, stop, own": (commands.test_a_charge_is_taken_read_back_and_done,),
    "never more current": (
        commands.test_no_charger_is_given_more_than_the_command_or_less_than_it_can,
    ),
    "phases": (commands.test_phases_are_switched_without_the_current_of_the_other_number,),
    "unchanged: unwritten": (commands.test_nothing_is_written_where_nothing_changed,),
    "left alone": (commands.test_a_command_is_kept_up_while_somebody_asks_and_given_up_after,),
    "second master": (commands.test_a_second_master_is_seen_and_not_fought,),
    "does not stop": (commands.test_a_charger_that_does_not_stop_is_reported,),
}
BY_OCPP: dict[str, tuple[Callable[..., None], ...]] = {
    "charge, stop, own": (by_ocpp.test_each_profile_charges_pauses_and_hands_back,),
    "reconnects": (by_ocpp.test_one_that_comes_back_follows_its_command_again,),
}
LOADS: dict[str, tuple[Callable[..., None], ...]] = {
    "readings": (commands.test_what_is_read_is_what_the_load_does,),
    "on, off, own": (commands.test_a_load_is_switched_and_given_back,),
    "left alone": (commands.test_a_command_is_kept_up_while_somebody_asks_and_given_up_after,),
    "second master": (commands.test_a_second_master_is_seen_and_not_fought,),
}


def test_the_page_of_devices_says_what_each_profile_is_put_through() -> None:
    page = "\n".join(describe()) + "\n"
    if os.environ.get("LUNA_RECORD"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def describe() -> Iterator[str]:
    profiles = [
        load_profile(path.stem, Path("/nonexistent")) for path in sorted(PACKAGED.glob("*.yaml"))
    ]
    yield from ("# Devices that Luna speaks to itself", "")
    yield from (
        (
            "<!-- Made from the profiles and test_profiles.py by "
            "tests/integration/drivers/test_matrix.py; edits are lost. -->"
        ),
        "",
    )
    yield from (
        (
            "Before every release each profile is put through the cases further down against a "
            "simulator of itself. **Rests on** says what else speaks for it:"
        ),
        "",
        *(f"- {word}: {meaning}" for word, meaning in EVIDENCE.items()),
        "",
        "What is not certain of a product stands [at the end](#what-is-uncertain).",
    )
    heads = ("products", "profile", "over", "when Luna is away", "what is written", "rests on")
    for kind, title in KINDS.items():
        rows = [describe_profile(profile) for profile in profiles if profile.kind == kind]
        yield from ("", f"## {title}", "", *table(heads, sorted(rows, key=by_brand)))
    yield from ("", "## What each is put through")
    for title, kind, columns in (
        ("Inverters with a battery", "battery_inverter", INVERTERS),
        ("Inverters with a battery that are only read", "battery_inverter", READ_ONLY),
        ("Solar inverters", "pv_inverter", PV_INVERTERS),
        ("Meters", "meter", METERS),
        ("Chargers", "charge_point", CHARGE_POINTS),
        ("Chargers by OCPP", "charge_point", BY_OCPP),
        ("Switched devices", "switched_load", LOADS),
    ):
        yield from ("", f"### {title}", "")
        yield from table(
            ("profile", *columns),
            [
                (
                    f"`{profile.profile}`",
                    *(
                        "✓" if any(is_put_through(profile, case) for case in some) else "–"
                        for some in columns.values()
                    ),
                )
                for profile in profiles
                if profile.kind == kind and is_tested(profile, columns)
            ],
        )
    yield from ("", "## What is uncertain", "")
    for profile in profiles:
        for doubt in list_doubts(profile):
            yield f"- {profile.title} (`{profile.profile}`): {doubt}"


def describe_profile(profile: DeviceProfile) -> tuple[str, ...]:
    products = "; ".join(f"{each.brand} {each.models}" for each in profile.covers)
    kept = sorted({str(profile.points[name].persistence) for name in profile.written_points})
    return (
        products,
        f"`{profile.profile}`",
        OVER[profile.transport.kind],
        describe_fallback(profile),
        ", ".join(kept) or "–",
        ", ".join({each.kind: None for each in profile.evidence}),
    )


def by_brand(row: tuple[str, ...]) -> str:
    """Return what a row is sorted by: its first product, in any case."""
    return row[0].casefold()


def list_doubts(profile: DeviceProfile) -> list[str]:
    """Return what a profile says is uncertain."""
    before = "uncertain: "
    sources = [each.source for each in profile.evidence]
    return [source.removeprefix(before) for source in sources if source.startswith(before)]


def is_put_through(profile: DeviceProfile, case: Callable[..., None]) -> bool:
    """Return whether pytest runs a case on a profile."""
    marks: list[Any] = getattr(case, "pytestmark", [])
    named = [
        mark.args[1]
        for mark in marks
        if mark.name == "parametrize" and mark.args[0] in {"profile", "name", "roof"}
    ]
    return profile.profile in {
        getattr(each, "values", (each,))[0] for each in (named[0] if named else COMMANDED)
    }


def is_tested(
    profile: DeviceProfile, columns: Mapping[str, tuple[Callable[..., None], ...]]
) -> bool:
    """Return whether any of a table's cases is run on a profile."""
    return any(is_put_through(profile, case) for some in columns.values() for case in some)


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield from (
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    )
