"""A month of the demo's home as a meter would have told it, then hurt: gaps, a reset, a clock an
hour late, all of it shuffled and partly said twice.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.settings import load_settings
from services.ingest.demo_data.demo import DemoSite, load_demo
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.source_readings import Samples
from tests.support.suite.tables import each_row

DAYS = 30
A_DAY = 96
AN_HOUR = 4
MONTH = Timeline(datetime(2023, 6, 1, tzinfo=UTC), SLOT, DAYS * A_DAY)
STEP_SECONDS = 300
PER_SLOT = int(SLOT.total_seconds()) // STEP_SECONDS
# In slots from the month's start: two gaps short enough to be filled, one that is not, and six
# hours stamped an hour early.
SHORT_GAPS = [(3 * A_DAY + 7 * AN_HOUR, 4), (8 * A_DAY + 12 * AN_HOUR, 6)]
LONG_GAP = (15 * A_DAY + 9 * AN_HOUR, 20)
RESET_SLOT = 20 * A_DAY + 50
LATE_DAY = 25
# Slots are rounded to a milliwatt-hour.
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def home() -> DemoSite:
    return load_demo(load_settings().cache).sites[0]


@pytest.fixture(scope="module")
def site(home: DemoSite) -> Site:
    document = home.site.model_dump(mode="json", by_alias=True)
    return parse_site(
        {
            **document,
            "input_sensors": {
                "total_load_consumption": "load_kwh",
                "total_pv_production": "pv_kwh",
            },
        }
    )


@pytest.fixture(scope="module")
def truth(home: DemoSite) -> dict[str, FloatArray]:
    month = home.observations.on(MONTH)
    return {"load_kwh": month.load_kwh, "pv_kwh": month.pv_kwh}


@pytest.fixture(scope="module")
def build(site: Site, truth: dict[str, FloatArray]) -> SlotBuild:
    samples = {name: hurt(name, energy) for name, energy in truth.items()}
    return build_slots(site, samples, MONTH, now=MONTH.end + timedelta(days=1))


def hurt(sensor: str, energy_kwh: FloatArray) -> Samples:
    """What a meter that only rises would have said every five minutes, and what became of it on its
    way.
    """
    rng = np.random.default_rng(7)
    meter = np.concatenate([[0.0], np.cumsum(energy_kwh)]) + 1234.5
    steps = np.arange(energy_kwh.size * PER_SLOT + 1)
    instants = MONTH.starts[0].astype("M8[us]") + steps * np.timedelta64(STEP_SECONDS, "s")
    values = np.interp(steps / PER_SLOT, np.arange(meter.size), meter)
    values[RESET_SLOT * PER_SLOT :] -= values[RESET_SLOT * PER_SLOT]
    late = slice(
        (LATE_DAY * A_DAY + 2 * AN_HOUR) * PER_SLOT, (LATE_DAY * A_DAY + 8 * AN_HOUR) * PER_SLOT
    )
    instants[late] -= np.timedelta64(1, "h")
    kept = np.ones(steps.size, dtype=bool)
    for first, slots in (*SHORT_GAPS, LONG_GAP):
        # The edges are said, what lies between is not.
        kept[first * PER_SLOT + 1 : (first + slots) * PER_SLOT] = False
    chosen = rng.permutation(
        np.concatenate([np.flatnonzero(kept), rng.choice(np.flatnonzero(kept), 400)])
    )
    return Samples(sensor, "kWh", instants[chosen], values[chosen])


def touched() -> np.ndarray:
    """Which slots something was done to."""
    slots = np.zeros(MONTH.count, dtype=bool)
    for first, length in (*SHORT_GAPS, LONG_GAP, (LATE_DAY * A_DAY, A_DAY), (RESET_SLOT - 1, 1)):
        slots[first : first + length] = True
    return slots


@pytest.mark.parametrize("name", ["load_kwh", "pv_kwh"])
def test_what_was_not_hurt_is_as_it_was_however_shuffled_and_doubled(
    build: SlotBuild, truth: dict[str, FloatArray], name: str
) -> None:
    np.testing.assert_allclose(
        build.columns[name][~touched()], truth[name][~touched()], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("name", ["load_kwh", "pv_kwh"])
def test_a_reset_costs_what_the_meter_never_told(
    build: SlotBuild, truth: dict[str, FloatArray], name: str
) -> None:
    # Its last word before was one step, a third of a slot, earlier.
    before = RESET_SLOT - 1
    told = (PER_SLOT - 1) / PER_SLOT
    assert build.columns[name][before] == pytest.approx(truth[name][before] * told, abs=ROUNDING)


@each_row("name", ["load_kwh", "pv_kwh"])
@each_row(("first", "slots"), SHORT_GAPS)
def test_a_short_gap_keeps_its_energy_and_is_marked(
    build: SlotBuild, truth: dict[str, FloatArray], name: str, first: int, slots: int
) -> None:
    gap = slice(first, first + slots)
    assert build.columns[name][gap].sum() == pytest.approx(
        truth[name][gap].sum(), abs=slots * ROUNDING
    )
    assert build.estimated[name][gap].all()


def test_a_long_gap_in_a_load_is_filled_to_the_counters_total(
    build: SlotBuild, truth: dict[str, FloatArray]
) -> None:
    first, slots = LONG_GAP
    gap = slice(first, first + slots)
    assert build.columns["load_kwh"][gap].sum() == pytest.approx(
        truth["load_kwh"][gap].sum(), abs=slots * ROUNDING
    )
    assert np.flatnonzero(build.filled["load_kwh"]).tolist() == [*range(first, first + slots)]


@pytest.mark.parametrize("name", ["load_kwh", "pv_kwh"])
def test_a_clock_an_hour_late_moves_energy_within_its_day_and_makes_none(
    build: SlotBuild, truth: dict[str, FloatArray], name: str
) -> None:
    day = slice(LATE_DAY * A_DAY, (LATE_DAY + 1) * A_DAY)
    assert build.columns[name][day].sum() == pytest.approx(
        truth[name][day].sum(), abs=A_DAY * ROUNDING
    )
    assert (build.columns[name][day] >= 0).all()


def test_the_report_counts_what_was_interpolated_and_refused(build: SlotBuild) -> None:
    load = build.counts["load_kwh"]
    filled = sum(slots for _, slots in SHORT_GAPS)
    assert (load.known, load.filled) == (MONTH.count, LONG_GAP[1])
    assert filled <= load.interpolated <= filled + 3 * AN_HOUR
    assert load.rejected.total() > 0
