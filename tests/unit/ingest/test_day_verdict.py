"""Verdicts on days, each with the figures that lead to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.day_fault import CODES, DayFault
from luna.energy.site import InputSensors, parse_site
from luna.energy.timeline import FloatArray, local_day
from luna.words.catalogue import CATALOGUE
from luna.words.catalogue.fluent_message import list_figures
from luna.words.quality import say_day_fault
from services.ingest.balance import Imbalance, UsualImbalance, learn_usual
from services.ingest.day_verdict import DayRecord, expect_series, judge_day
from services.ingest.price_repair import PriceRecord
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

DAY = date(2024, 1, 10)
PLAIN = parse_site({"name": "home", "timezone": "Europe/Berlin", "pv": [{"peak_kw": 5}]})
STORING = parse_site(
    {
        "name": "home",
        "timezone": "Europe/Berlin",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    },
)
ALL = frozenset(
    {
        "load_kwh",
        "pv_kwh",
        "import_kwh",
        "export_kwh",
        "charge_kwh",
        "discharge_kwh",
        "soc",
        "import_price",
        "export_price",
    }
)


def record(
    slots: int = 96,
    *,
    repaired: int = 0,
    expected: frozenset[str] = ALL,
    price: FloatArray | None = None,
    **changed: FloatArray,
) -> DayRecord:
    """A day of 0.2 kWh load, half of it from PV and half from the grid, in every slot.

    Its battery rests.
    """
    plain = {
        "load_kwh": 0.2,
        "pv_kwh": 0.1,
        "import_kwh": 0.1,
        "export_kwh": 0.0,
        "charge_kwh": 0.0,
        "discharge_kwh": 0.0,
        "soc": 0.5,
    }
    unknown = np.full(slots, np.nan)
    series = {name: np.full(slots, value) for name, value in plain.items()}
    series |= (
        dict.fromkeys(
            (
                "residual_kwh",
                "beyond_house_kwh",
                "vehicle_kwh",
                "heat_pump_kwh",
                "water_heater_kwh",
            ),
            unknown,
        )
        | changed
    )
    paid = np.full(slots, 0.3) if price is None else price
    prices = {
        "import_price": PriceRecord(paid, unknown, unknown),
        "export_price": PriceRecord(np.full(slots, 0.07), unknown, unknown),
    }
    return DayRecord(DAY, series, np.where(np.arange(slots) < repaired, 1, 0), prices, expected)


def without_first(slots: int, *, of: int = 96, value: float = 0.2) -> FloatArray:
    return np.where(np.arange(of) < slots, np.nan, value)


def judge(day: DayRecord, site: object = PLAIN) -> tuple[str, list[str]]:
    judged = judge_day(day, PLAIN if site is PLAIN else STORING)
    return judged.verdict, [fault.code for fault in judged.faults]


def test_a_whole_day_is_clean() -> None:
    assert judge(record()) == judge(record(), STORING) == ("clean", [])


@pytest.mark.parametrize(("slots", "allowed"), [(92, 9), (96, 9), (100, 10)])
def test_a_day_is_judged_by_its_own_slots(slots: int, allowed: int) -> None:
    # A tenth may be missing: of 92 slots 9.2, of 96 9.6, of 100 exactly 10.
    few = judge_day(record(slots, load_kwh=without_first(allowed, of=slots)), PLAIN)
    fault = DayFault.of("coverage", series="load_kwh", known=slots - allowed, slots=slots)
    assert (few.verdict, few.faults) == ("clean", [fault])
    assert judge(record(slots, load_kwh=without_first(allowed + 1, of=slots))) == (
        "exclude",
        ["coverage"],
    )


def test_the_reason_names_the_series_and_its_slots() -> None:
    judged = judge_day(record(load_kwh=without_first(30)), PLAIN)
    assert judged.faults == [DayFault.of("coverage", series="load_kwh", known=66, slots=96)]
    assert judged.reasons == [say_day_fault(judged.faults[0])]


@pytest.mark.parametrize(("filled", "verdict"), [(9, "clean"), (10, "exclude")])
def test_what_is_filled_to_the_meters_total_is_named_and_counts_as_not_measured(
    filled: int, verdict: str
) -> None:
    judged = judge_day(
        replace(record(load_kwh=without_first(filled)), estimated={"load_kwh": filled}), PLAIN
    )
    fault = DayFault.of("estimated", series="load_kwh", known=filled, slots=96)
    assert (judged.verdict, judged.faults) == (verdict, [fault])


@pytest.mark.parametrize("name", ["pv_kwh", "import_kwh", "export_kwh"])
def test_every_meter_that_the_site_has_is_needed(name: str) -> None:
    assert judge(record(**{name: without_first(96)})) == ("exclude", ["coverage"])


def test_a_meter_that_the_site_never_had_is_not_missed() -> None:
    unknown = without_first(96)
    day = record(
        expected=frozenset({"load_kwh"}), pv_kwh=unknown, import_kwh=unknown, export_kwh=unknown
    )
    assert judge(day) == ("clean", [])


@pytest.mark.parametrize(("repaired", "verdict"), [(19, "clean"), (20, "exclude")])
def test_a_day_of_which_a_fifth_was_repaired_is_left_out(repaired: int, verdict: str) -> None:
    # A fifth of 96 slots is 19.2.
    assert judge(record(repaired=repaired))[0] == verdict


def test_what_the_meters_leave_open_is_computed_where_it_is_not_stored() -> None:
    # Import reads 0.15 instead of 0.1: 96 × 0.05 = 4.8 kWh of 96 × 0.25 = 24 kWh are unexplained.
    judged = judge_day(record(import_kwh=np.full(96, 0.15)), PLAIN)
    assert (judged.verdict, judged.faults) == (
        "exclude",
        [DayFault.of("balance", open=4.8, flow=24.0)],
    )


def test_a_stored_residual_counts_and_errors_of_a_quarter_day_do_not_cancel() -> None:
    # An hour's clock error: 3 kWh too much in the morning, 3 kWh too little in the evening, of 96 ×
    # 0.2 = 19.2 kWh.
    residual = np.zeros(96)
    residual[[20, 80]] = 3.0, -3.0
    assert judge(record(residual_kwh=residual)) == ("exclude", ["balance"])


def test_coarse_counters_are_no_imbalance() -> None:
    # Steps of 0.1 kWh: what a slot counts too little, the next ones make up for.
    residual = np.tile([0.1, -0.1], 48)
    assert judge(record(residual_kwh=residual)) == ("clean", [])


def test_little_may_be_open_on_a_day_on_which_little_flows() -> None:
    # 96 × 0.01 = 0.96 kWh, below one kWh, of the same small flow.
    quiet = {name: np.full(96, 0.0) for name in ("load_kwh", "pv_kwh")}
    assert judge(record(**quiet, import_kwh=np.full(96, 0.01))) == ("clean", [])


def test_a_day_on_which_an_operator_limited_feed_in_and_devices_is_as_good_as_any() -> None:
    sun = np.maximum(np.sin((np.arange(96) - 24) / 48 * np.pi), 0.0)
    # A house of 0.2 kWh feeds in 0.3 kWh at most, hour after hour, and its car gets 4.2 kW.
    pv = np.minimum(sun, 0.5)
    car = np.where(np.arange(96) >= 72, 1.05, 0.0)
    need = 0.2 + car - pv
    day = record(
        pv_kwh=pv,
        vehicle_kwh=car,
        import_kwh=np.maximum(need, 0.0),
        export_kwh=np.maximum(-need, 0.0),
    )
    assert judge(day) == ("clean", [])


def test_what_was_charged_into_a_car_is_explained() -> None:
    assert judge(record(import_kwh=np.full(96, 0.3), vehicle_kwh=np.full(96, 0.2))) == ("clean", [])


def charging(kw: float, *, house_kw: float, hours: int = 3) -> dict[str, FloatArray]:
    """A car that charges from one o'clock on beside a house whose meter does not count it."""
    car = np.where((np.arange(96) >= 4) & (np.arange(96) < 4 + 4 * hours), kw / 4, 0.0)
    house = np.full(96, house_kw / 4)
    return {
        "vehicle_kwh": car,
        "load_kwh": np.maximum(house - car, 0),
        "beyond_house_kwh": np.maximum(car - house, 0),
    }


def test_a_car_that_uses_more_than_the_house_it_is_taken_off_excludes_the_day() -> None:
    # 3 h × (7 − 0.5) kW = 19.5 kWh in 12 slots.
    day = record(expected=frozenset({"load_kwh"}), **charging(7, house_kw=0.5))
    figures = {"series": "vehicle_kwh", "open": 19.5, "known": 12, "slots": 96}
    assert judge_day(day, PLAIN).faults == [DayFault("devices_beyond_house", figures)]
    derived = PLAIN.model_copy(
        update={
            "input_sensors": InputSensors(total_grid_import=("grid",), vehicle_consumption=("car",))
        }
    )
    assert judge_day(day, derived).faults == [DayFault("devices_beyond_grid", figures)]


@each_row(
    "series",
    [
        # A wallbox of 11 kW for three hours whose counter says 3 % too much: 33 × 0.03 − 0.6 kWh of
        # the house.
        charging(11.33, house_kw=11.2),
        # The house's counter moves by whole kWh and lags behind the heat pump's fine one, and makes
        # up for it within two hours.
        {
            "heat_pump_kwh": np.full(96, 0.1),
            "load_kwh": np.where(np.arange(96) % 8 == 7, 0.9, 0.0),
            "beyond_house_kwh": np.where(np.arange(96) % 8 == 7, 0.0, 0.1),
        },
        # A few Wh around zero through the whole day.
        {
            "vehicle_kwh": np.full(96, 0.2),
            "load_kwh": np.zeros(96),
            "beyond_house_kwh": np.full(96, 0.003),
        },
    ],
    ids=["classes of meters", "coarse counters", "rounding"],
)
def test_what_meters_err_and_lag_is_no_contradiction(series: dict[str, FloatArray]) -> None:
    assert judge(record(expected=frozenset({"load_kwh"}), **series)) == ("clean", [])


def test_a_site_that_lacks_a_meter_has_no_balance() -> None:
    day = record(
        expected=ALL - {"export_kwh"}, import_kwh=np.full(96, 0.15), export_kwh=without_first(96)
    )
    assert judge(day) == ("clean", [])


def test_a_battery_that_says_nothing_masks_the_battery_alone() -> None:
    assert judge(record(soc=without_first(96)), STORING) == ("mask_battery", ["coverage"])


def test_a_state_of_charge_that_jumps_masks_the_battery() -> None:
    assert judge(record(soc=np.where(np.arange(96) < 48, 0.2, 0.8)), STORING)[0] == "mask_battery"


def test_a_day_is_excluded_although_only_the_battery_is_wrong_beside_it() -> None:
    assert judge(record(load_kwh=without_first(60), soc=without_first(96)), STORING) == (
        "exclude",
        ["coverage", "coverage"],
    )


@pytest.mark.parametrize(("missing", "verdict"), [(4, "clean"), (5, "exclude")])
def test_an_hour_without_prices_is_borne_and_no_more(missing: int, verdict: str) -> None:
    # Five in a hundred of 96 slots are 4.8.
    assert judge(record(price=without_first(missing, value=0.3)))[0] == verdict


def test_a_site_that_never_had_prices_is_not_excluded_for_them() -> None:
    assert judge(record(price=without_first(96), expected=ALL - {"import_price"})) == ("clean", [])


@pytest.mark.parametrize("zeros", [1, 96], ids=["one", "all"])
def test_a_price_of_zero_that_nobody_had_excludes_the_day(zeros: int) -> None:
    assert judge(record(price=np.where(np.arange(96) < zeros, 0.0, 0.3))) == (
        "exclude",
        ["price_zero"],
    )


def storing(*, swap: tuple[str, ...] = (), load_metered: bool = True) -> DayRecord:
    """A day of sun, feed-in and a battery that charges at noon and gives at night.

    The names in ``swap`` are exchanged, as by a wrong sign.
    """
    slot = np.arange(96)
    noon = (slot >= 40) & (slot < 56)
    night = slot >= 80
    true = {
        "load_kwh": np.full(96, 0.2),
        "pv_kwh": np.where(noon, 0.9, 0.0),
        "charge_kwh": np.where(noon, 0.3, 0.0),
        "discharge_kwh": np.where(night, 0.2, 0.0),
        "export_kwh": np.where(noon, 0.4, 0.0),
        "import_kwh": np.where(noon | night, 0.0, 0.2),
        "soc": 0.2 + np.cumsum(np.where(noon, 0.03, 0.0) - np.where(night, 0.02, 0.0)),
    }
    read = true | {name: true[other] for name, other in zip(swap, swap[::-1], strict=True)}
    if not load_metered:
        supply = (
            read["import_kwh"]
            + read["pv_kwh"]
            + read["discharge_kwh"]
            - read["export_kwh"]
            - read["charge_kwh"]
        )
        read |= {"load_kwh": np.maximum(supply, 0), "residual_kwh": np.minimum(supply, 0)}
    return record(**read)


BATTERY_TURNED = DayFault.of(
    "turned", source="total_battery_discharge", sink="total_battery_charge"
)
GRID_TURNED = DayFault.of("turned", source="total_grid_import", sink="total_grid_export")


@each_row(
    ("swap", "load_metered", "told"),
    [
        ((), True, []),
        ((), False, []),
        (("charge_kwh", "discharge_kwh"), True, [BATTERY_TURNED]),
        (("charge_kwh", "discharge_kwh"), False, [BATTERY_TURNED]),
        (("import_kwh", "export_kwh"), True, [GRID_TURNED]),
        (("import_kwh", "export_kwh"), False, [GRID_TURNED]),
        (
            ("charge_kwh", "import_kwh", "export_kwh", "discharge_kwh"),
            True,
            [BATTERY_TURNED, GRID_TURNED],
        ),
    ],
    ids=["right", "right, derived", "battery", "battery, derived", "grid", "grid, derived", "both"],
)
def test_the_turn_that_explains_a_day_is_named(
    swap: tuple[str, ...], load_metered: bool, told: list[DayFault]
) -> None:
    faults = judge_day(storing(swap=swap, load_metered=load_metered), STORING).faults
    assert [fault for fault in faults if fault.code == "turned"] == told
    # It rose by 16 × 0.03 and fell by 16 × 0.02 of 10 kWh, against 16 × 0.3 / 0.95 + 16 × 0.2 ×
    # 0.95 kWh.
    reversed_by = [fault.parameters for fault in faults if fault.code == "soc_reversed"]
    assert reversed_by == ([{"against": 8.0, "moved": 8.09263}] if "charge_kwh" in swap else [])


def test_an_imbalance_that_no_turn_explains_names_none() -> None:
    faults = judge_day(record(import_kwh=np.full(96, 0.15)), STORING).faults
    assert [fault.code for fault in faults] == ["balance"]


AGREED = UsualImbalance(kwh=0.02, share=0.001)


def sunny(**changed: FloatArray) -> DayRecord:
    """A house with an oven at noon and more use in the evening, supplied by the sun from eight to
    four and by the grid else; its meters usually agree.
    """
    slot = np.arange(96)
    load = np.select([(slot >= 46) & (slot < 50), slot >= 72], [2.1, 0.2], 0.1)
    pv = np.where((slot >= 32) & (slot < 64), 1.2 - 0.07 * np.abs(slot - 47.5), 0.0)
    true = {
        "load_kwh": load,
        "pv_kwh": pv,
        "import_kwh": np.maximum(load - pv, 0),
        "export_kwh": np.maximum(pv - load, 0),
    }
    return replace(record(**true | changed), usual=AGREED)


@each_row(
    ("name", "change", "told"),
    [
        ("import_kwh", lambda kwh: kwh, []),
        # Of meters that are off by 4 % of what they count, as clamps are.
        ("import_kwh", lambda kwh: 1.04 * kwh, []),
        # (32 + 8) × 0.1 and 24 × 0.2 kWh by night, and for the oven 4 × 2.1 less what the sun gives
        # meanwhile, 2 × (1.165 + 1.095).
        (
            "import_kwh",
            lambda kwh: 0.0 * kwh,
            [DayFault.of("frozen", sensor="total_grid_import", hours=24.0, missed=12.68)],
        ),
        (
            "pv_kwh",
            lambda kwh: np.roll(kwh, 4),
            [DayFault.of("clock_late", sensor="total_pv_production", hours=1.0)],
        ),
        (
            "pv_kwh",
            lambda kwh: np.roll(kwh, -8),
            [DayFault.of("clock_early", sensor="total_pv_production", hours=2.0)],
        ),
        (
            "pv_kwh",
            lambda kwh: 0.0 * kwh,
            [DayFault.of("frozen", sensor="total_pv_production", hours=24.0, missed=20.48)],
        ),
    ],
    ids=["right", "within a meter's error", "import frozen", "sun late", "sun early", "sun turned"],
)
def test_the_one_meter_that_explains_a_day_is_named(
    name: str, change: Callable[[FloatArray], FloatArray], told: list[DayFault]
) -> None:
    judged = judge_day(sunny(**{name: change(sunny().series[name])}), PLAIN)
    assert (judged.verdict, judged.faults[1:]) == ("exclude" if told else "clean", told)
    assert [fault.code for fault in judged.faults[:1]] in (
        [],
        ["balance"],
        ["balance_unusual"],
    )
    assert all(
        "?" in say_day_fault(fault, language)
        for fault in judged.faults[1:]
        for language in CATALOGUE.languages
    )


def test_how_far_meters_may_disagree_is_what_they_do_on_the_days_around() -> None:
    # 96 × 0.015 = 1.44 kWh of 96 × 0.215 = 20.6 kWh that flowed, 7 %: more than 4 %, less than a
    # tenth.
    day = record(import_kwh=np.full(96, 0.115))
    few, agreed, coarse = (
        [Imbalance(kwh, 20.0)] * days for kwh, days in ((0.02, 6), (0.02, 7), (0.6, 28))
    )
    assert (
        judge(replace(day, usual=learn_usual(few)))
        == judge(replace(day, usual=learn_usual(coarse)))
        == ("clean", [])
    )
    judged = judge_day(replace(day, usual=learn_usual(agreed)), PLAIN)
    assert judged.faults == [DayFault.of("balance_unusual", open=1.44, flow=20.64, usual=0.02)]
    said = wording("quality", "fault_balance_unusual", "de", open="1,4", flow="20,6", usual="0,0")
    assert say_day_fault(judged.faults[0], "de") == said


def hours(count: float) -> datetime:
    return datetime(2024, 1, 10, tzinfo=UTC) + timedelta(hours=count)


@each_row(
    ("span", "there"),
    [((-48, -24), False), ((-48, 24), True), ((6, 12), True), ((30, 48), False), ((-48, 48), True)],
    ids=["before", "until that day", "on that day", "after", "around"],
)
def test_a_series_is_expected_between_the_first_and_the_last_day_on_which_it_was_known(
    span: tuple[float, float], there: bool
) -> None:
    day = local_day(DAY, ZoneInfo("UTC"))
    assert (
        "pv_kwh" in expect_series({"pv_kwh": (hours(span[0]), hours(span[1]))}, PLAIN, day)
    ) == there


def test_a_sensor_that_the_site_names_is_expected_ever_since_it_was_first_known() -> None:
    site = PLAIN.model_copy(
        update={
            "input_sensors": PLAIN.input_sensors.model_copy(
                update={"total_pv_production": ("sensor.pv",)}
            )
        }
    )
    assert "pv_kwh" in expect_series(
        {"pv_kwh": (hours(-48), hours(-24))}, site, local_day(DAY, ZoneInfo("UTC"))
    )


def test_the_load_is_always_expected() -> None:
    assert expect_series({}, PLAIN, local_day(DAY, ZoneInfo("UTC"))) == {"load_kwh"}


def test_a_silent_sensor_is_named_where_the_sum_is_unknown_without_it() -> None:
    silent = [
        ("pv_kwh", "sensor.garage", date(2024, 2, 1)),
        ("load_kwh", "sensor.pump", date(2024, 2, 1)),
        ("import_kwh", "sensor.mistyped", None),
    ]
    judged = judge_day(
        replace(record(pv_kwh=without_first(96), import_kwh=without_first(96)), silent=silent),
        PLAIN,
    )
    assert judged.verdict == "exclude"
    assert [fault for fault in judged.faults if fault.code != "coverage"] == [
        DayFault.of("silent", series="pv_kwh", sensor="sensor.garage", since="2024-02-01"),
        DayFault.of("unheard", series="import_kwh", sensor="sensor.mistyped"),
    ]
    figures = {
        "series": wording("quality", "series_pv_kwh", "de"),
        "sensor": "sensor.garage",
        "since": "2024-02-01",
    }
    assert say_day_fault(judged.faults[2], "de") == wording(
        "quality", "fault_silent", "de", **figures
    )


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_every_fault_has_words_and_needs_no_more_figures_than_it_has(language: str) -> None:
    said = {
        name.removeprefix("fault_"): message
        for name, message in CATALOGUE.read("quality", language).items()
        if name.startswith("fault_")
    }
    assert said.keys() == CODES.keys()
    for code, parameters in CODES.items():
        assert set(list_figures(said[code].parts)) <= set(parameters), code


def test_a_fault_of_a_newer_release_is_said_by_its_code() -> None:
    newer = DayFault.of("haunted", series="pv_kwh")
    assert (say_day_fault(newer, "de"), DayFault.parse(newer.text)) == ("haunted", newer)
