"""Whatever is wrong with readings, what is known of a day is the truth."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, every

DAYS = 2
READINGS = DAYS * 288 + 1
LOAD = {
    "name": "flat",
    "timezone": "UTC",
    "grid": {"import_limit_kw": 11},
    "input_sensors": {"total_load_consumption": "load"},
}
# A quarter of a kilowatt-hour a day is what a verdict bears; in a quarter-hour a reset may show
# what is used beside it.
DAY_KWH = 0.25
SLOT_KWH = 0.1
CAUGHT_UP_KWH = 1.3
NUMBERS = st.sampled_from(
    [0x7FFF, 0xFFFF, 0x8000, -0x8000, 0x7FFFFFFF, 0xFFFFFFFF, -0x80000000, -3.4e38]
)
SCALES = st.sampled_from([1.0, 0.1, 0.01, 0.001])
STRETCH = st.tuples(st.integers(10, READINGS - 60), st.integers(2, 50)).map(
    lambda place: slice(place[0], place[0] + place[1])
)


def use(seed: int) -> FloatArray:
    """Return the power of a flat in each five minutes, kW."""
    return np.random.default_rng(seed).uniform(0.3, 0.6, READINGS)


def build(unit: str, values: FloatArray) -> SlotBuild:
    samples = {"load": Samples("load", unit, every(5, READINGS), values)}
    return build_slots(parse_site(LOAD), samples, Timeline(NOON, SLOT, DAYS * 96))


def check(built: SlotBuild, kw: FloatArray, *, wrong_kwh: float = SLOT_KWH) -> None:
    truth = kw[:-1].reshape(-1, 3).sum(axis=1) / 12
    known = built.columns["load_kwh"]
    assert np.nanmax(np.abs(known - truth), initial=0.0) <= wrong_kwh
    assert abs(float(np.nansum(known - truth))) <= DAYS * DAY_KWH


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_right_readings_are_not_doubted(seed: int) -> None:
    kw = use(seed)
    counted = 5_000 + np.concatenate([[0.0], np.cumsum(kw[:-1])]) / 12
    for built in (build("kW", kw), build("kWh", counted)):
        assert not built.rejected
        check(built, kw, wrong_kwh=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), STRETCH, NUMBERS, SCALES)
def test_a_number_for_no_value_is_never_energy(
    seed: int, away: slice, number: float, scale: float
) -> None:
    kw = use(seed)
    power = kw * 1000
    counted = 5_000 + np.concatenate([[0.0], np.cumsum(kw[:-1])]) / 12
    power[away] = counted[away] = number * scale
    check(build("W", power), kw)
    check(build("kWh", counted), kw)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(60, READINGS - 60), st.floats(0.15, 20))
def test_a_counter_that_is_corrected_counts_no_more(seed: int, place: int, level: float) -> None:
    kw = use(seed)
    counted = np.concatenate([[0.0], np.cumsum(kw[:-1])]) / 12
    # A smaller fall is caught up within two hours, and taken for a misreading: what lies below the
    # old level is not counted.
    if counted[place - 1] > level + CAUGHT_UP_KWH:
        counted[place:] += level - counted[place]
    check(build("kWh", counted), kw)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([-1.0, 1000.0, -1000.0]))
def test_a_wrong_sign_or_scale_is_never_energy(seed: int, factor: float) -> None:
    assert np.isnan(build("kW", use(seed) * factor).columns["load_kwh"]).all()
