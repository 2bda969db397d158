"""A meter at the grid that repeats itself: frozen where it never does so and the others move, and
at rest where it may.
"""

import numpy as np
import pytest

from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.metering.build import STUCK
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, describe_metered, every

# Two days at five minutes each, and a quarter-hour in which the grid's meter freezes; for two
# hours.
MINUTES = 5
DAYS = 2
READINGS = DAYS * 288 + 1
FROZEN_AT = 500
THAWED_AT = 524
SITE = {
    "total_pv_production": "pv",
    "total_grid_import": "import",
    "total_grid_export": "export",
    "total_battery_charge": "charge",
    "total_battery_discharge": "discharge",
}
INSTANTS = every(MINUTES, READINGS)


def count(power_kw: FloatArray, *, step_kwh: float = 0.0001) -> FloatArray:
    """What a counter shows of a power from one reading to the next."""
    kwh = 100 + np.concatenate([[0.0], np.cumsum(power_kw * MINUTES / 60)])
    return np.round(np.floor(kwh / step_kwh + 1e-9) * step_kwh, 6)


def home(*, grid_step_kwh: float = 0.0001, rests: bool = False) -> dict[str, FloatArray]:
    """The roof gives 2.4 kW, the house takes 0.4, the rest is sold.

    Every third reading the battery takes all of it, but for 10 W either way.

    ``rests``: for two hours it takes just all of it.
    """
    place = np.arange(READINGS - 1)
    still = rests & (place >= FROZEN_AT) & (place < THAWED_AT)
    error = np.where(still, 0.0, np.where(place % 2 == 0, 0.01, -0.01))
    follows = still | (place % 3 == 0)
    bought = np.where(follows, np.maximum(error, 0), 0.0)
    sold = np.where(follows, np.maximum(-error, 0), 2.0)
    powers = {
        "pv": np.full(place.size, 2.4),
        "charge": np.where(follows, 2.0 + error, 0.0),
        "discharge": 0.0 * bought,
        "load": np.full(place.size, 0.4),
    }
    return {name: count(kw) for name, kw in powers.items()} | {
        name: count(kw, step_kwh=grid_step_kwh)
        for name, kw in (("import", bought), ("export", sold))
    }


def freeze(values: FloatArray, *, till: int = THAWED_AT) -> FloatArray:
    frozen = values.copy()
    frozen[FROZEN_AT:till] = values[FROZEN_AT]
    return frozen


def build(
    counted: dict[str, FloatArray], *, till: int = READINGS, site: dict[str, str] = SITE
) -> SlotBuild:
    # One sensor speaks a moment after the other.
    moments = {name: np.timedelta64(3 * place, "us") for place, name in enumerate(counted)}
    samples = {
        name: Samples(name, "kWh", INSTANTS[:till] + moments[name], values[:till])
        for name, values in counted.items()
    }
    slots = (till - 1) * MINUTES // 15
    return build_slots(describe_metered(**site), samples, Timeline(NOON, SLOT, slots))


def test_a_frozen_meter_at_the_grid_leaves_the_house_unknown_until_it_tells_what_flowed() -> None:
    counted = home()
    told = counted | {name: freeze(counted[name]) for name in ("import", "export")}
    # It froze at 41:40 h, five minutes before a quarter-hour ends: a quarter of an hour later that
    # cannot be chance, and what it shows is nobody's truth.
    assert np.isfinite(build(told, till=FROZEN_AT + 2).columns["load_kwh"]).all()
    later = build(told, till=FROZEN_AT + 5)
    for name in ("load_kwh", "import_kwh", "export_kwh"):
        assert np.flatnonzero(np.isnan(later.columns[name])).tolist() == [167]
    assert {(each.sensor, each.fault) for each in later.rejected} == {
        ("import", STUCK),
        ("export", STUCK),
    }
    # What was stored of the quarter-hours before it showed is taken back.
    assert np.isfinite(later.withdrawn["load_kwh"][167])
    whole = build(told)
    assert whole.columns["export_kwh"].sum() == pytest.approx(
        build(counted).columns["export_kwh"].sum(), abs=1e-3
    )
    assert whole.estimated["load_kwh"][168:174].all()
    np.testing.assert_allclose(whole.columns["load_kwh"][168:174], 0.1, atol=0.2)


def test_a_meter_that_may_stand_still_is_not_frozen() -> None:
    counted = home()
    coarse = home(grid_step_kwh=0.01)
    frozen = {name: freeze(counted[name]) for name in ("import", "export")}
    before = {
        name: np.where(
            (np.arange(READINGS) > 200) & (np.arange(READINGS) < 224), values[200], values
        )
        for name, values in frozen.items()
    }
    house = SITE | {"total_load_consumption": "load"}
    cases: dict[str, tuple[dict[str, FloatArray], dict[str, str]]] = {
        # At 5 W ten watt-hours take two hours.
        "coarse": (coarse | {name: freeze(coarse[name]) for name in frozen}, SITE),
        # Nothing else moves: nobody is there, or the power is cut.
        "dark": ({name: freeze(values) for name, values in counted.items()}, SITE),
        # It stood for as long the day before.
        "usual": (counted | before, SITE),
        # A meter without a second register stands for hours while the sun is sold.
        "one way": (counted | {"import": frozen["import"], "export": 0 * counted["export"]}, SITE),
        # Not known for a day.
        "new": (
            {name: values[FROZEN_AT - 200 :] for name, values in (counted | frozen).items()},
            SITE,
        ),
        # The house's own meter says that nothing passed.
        "balanced": (home(rests=True), house),
    }
    refused = {}
    for name, (told, site) in cases.items():
        samples = {
            each: Samples(each, "kWh", INSTANTS[-values.size :], values)
            for each, values in told.items()
        }
        built = build_slots(describe_metered(**site), samples, Timeline(NOON, SLOT, 192))
        refused[name] = {each.sensor for each in built.rejected}
    assert {name: found for name, found in refused.items() if found} == {}
    # And it is frozen where that meter misses something, or tells nothing.
    for told, site in ((counted | frozen, house), (home(rests=True), SITE)):
        assert {each.sensor for each in build(told, site=site).rejected} == {"import", "export"}


def test_a_power_at_the_grid_that_repeats_itself_is_unknown_but_not_one_that_rests() -> None:
    flicker = np.arange(READINGS) % 7
    steady = {
        "pv": 2400.0 + flicker,
        "grid": -2000.0 + flicker,
        "charge": 100.0 + flicker,
        "discharge": np.zeros(READINGS),
    }
    site = SITE | {"total_grid_import": "grid", "total_grid_export": "-grid"}
    for value, known in ((-1997.0, False), (0.0, True)):
        grid = np.where(
            (np.arange(READINGS) >= FROZEN_AT) & (np.arange(READINGS) < THAWED_AT),
            value,
            steady["grid"],
        )
        samples = {
            name: Samples(name, "W", INSTANTS, np.asarray(values, dtype=np.float64))
            for name, values in (steady | {"grid": grid}).items()
        }
        built = build_slots(describe_metered(**site), samples, Timeline(NOON, SLOT, 192))
        assert np.isfinite(built.columns["load_kwh"][168:174]).all() == known
        assert np.isfinite(built.columns["export_kwh"][:166]).all()


def test_a_power_at_the_grid_without_any_usable_reading_stands_still_nowhere() -> None:
    never_finite = np.full(READINGS, np.inf)
    samples = {
        "import": Samples("import", "W", INSTANTS, never_finite),
        "export": Samples("export", "kWh", INSTANTS, home()["export"]),
    }
    site = describe_metered(total_grid_import="import", total_grid_export="export")
    built = build_slots(site, samples, Timeline(NOON, SLOT, 192))
    assert {rejected.sensor for rejected in built.rejected} == {"import"}
    assert np.isnan(built.columns["import_kwh"]).all()
    assert np.isfinite(built.columns["export_kwh"]).all()
