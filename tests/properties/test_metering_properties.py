"""Whatever the sampling, the energy that goes in comes out."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.site import SUBMETERED
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.metering.energy_balance import SINKS, SOURCES, compute_balance
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, describe_metered, minutes

HOURS = 6
SITE = describe_metered(total_load_consumption="meter")
WALLBOX = describe_metered(vehicle_consumption="car")
# Slots are rounded to milliwatt-hours; a day of them may lose this.
SUM = 5e-5
# Of the minutes of six hours, those at which a meter is read; first and last always, and none of
# the gaps longer than two hours.
PLACES = st.sets(st.integers(1, HOURS * 60 - 1), max_size=60).map(
    lambda chosen: sorted({0, 100, 200, 300, HOURS * 60} | chosen)
)
# Up to 0.1 kWh a minute: 6 kW of 26.
RISES = st.builds(
    lambda seed, most, share: (
        np.random.default_rng(seed).uniform(0, most, HOURS * 60)
        * (np.random.default_rng(seed + 1).uniform(size=HOURS * 60) < share)
    ),
    st.integers(0, 10**6),
    st.floats(0, 0.1),
    st.floats(0, 1),
)


def build(places: list[int], values: FloatArray, *, unit: str = "kWh") -> SlotBuild:
    samples = {"meter": Samples("meter", unit, minutes(*places), values)}
    return build_slots(SITE, samples, Timeline(NOON, SLOT, HOURS * 4))


def counted(rises: FloatArray) -> FloatArray:
    return 5_000 + np.concatenate([[0.0], np.cumsum(rises)])


@settings(deadline=None)
@given(RISES, PLACES)
def test_any_choice_of_a_counters_readings_gives_the_same_total(
    rises: FloatArray, places: list[int]
) -> None:
    kwh = counted(rises)
    energy = build(places, kwh[places]).columns["load_kwh"]
    assert not np.isnan(energy).any()
    np.testing.assert_allclose(energy.sum(), kwh[-1] - kwh[0], atol=SUM)


@settings(deadline=None)
@given(RISES, PLACES)
def test_a_slot_whose_borders_were_read_is_exact_whatever_was_read_between(
    rises: FloatArray, places: list[int]
) -> None:
    kwh = counted(rises)
    everything = sorted({*places, *range(0, HOURS * 60 + 1, 15)})
    np.testing.assert_allclose(
        build(everything, kwh[everything]).columns["load_kwh"], np.diff(kwh[::15]), atol=SUM
    )


@settings(deadline=None)
@given(RISES, PLACES, st.randoms(use_true_random=False))
def test_shuffling_and_repeating_samples_changes_nothing(
    rises: FloatArray, places: list[int], random: Random
) -> None:
    kwh = counted(rises)
    mixed = [*places, *places[::3]]
    random.shuffle(mixed)
    first = build(places, kwh[places])
    second = build(mixed, kwh[mixed])
    np.testing.assert_array_equal(first.columns["load_kwh"], second.columns["load_kwh"])
    np.testing.assert_array_equal(first.repaired, second.repaired)
    assert first.counts == second.counts


@settings(deadline=None)
@given(
    st.lists(
        st.floats(-50, 50) | st.just(float("nan")) | st.just(float("inf")), min_size=1, max_size=80
    ),
    st.sampled_from(["kWh", "Wh", "W", "kW"]),
)
def test_no_energy_is_negative_whatever_a_sensor_says(values: list[float], unit: str) -> None:
    places = [5 * place for place in range(len(values))]
    for series in build(places, np.array(values), unit=unit).columns.values():
        assert not (series < 0).any()


@settings(deadline=None)
@given(RISES, PLACES, st.lists(st.integers(1, HOURS * 60 - 1), max_size=4))
def test_a_counter_that_begins_again_counts_no_more_than_it_shows(
    rises: FloatArray, places: list[int], resets: list[int]
) -> None:
    total = np.concatenate([[0.0], np.cumsum(rises)])
    kwh = total + 300
    for reset in resets:
        kwh[reset:] = total[reset:] - total[reset]
    read = kwh[places]
    fallen = np.diff(read) < 0
    shown = np.where(fallen, read[1:], np.diff(read)).sum()
    energy = build(places, read).columns["load_kwh"]
    # Slots of which less than a third is unknown may be filled up from the rest: none is here, as
    # the readings span them all.
    assert np.nansum(energy) <= shown + 0.02 * len(resets) + SUM
    assert np.nansum(energy) <= total[-1] + SUM


@settings(deadline=None)
# A lone peak of more than half of what the site can use would be refused.
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 13)), min_size=1, max_size=60))
def test_the_energy_of_a_power_is_its_time_weighted_sum(steps: list[tuple[int, float]]) -> None:
    lengths, kw = (np.array(part, dtype=np.float64) for part in zip(*steps, strict=True))
    ends = np.cumsum(lengths)
    places = [0.0, *ends]
    slots = int(-(-ends[-1] // 15))
    # Held on to the last slot's end, so that all of it is known.
    instants = minutes(*places, slots * 15 + 0.001)
    samples = {"car": Samples("car", "kW", instants, np.concatenate([kw, [0.0, 0.0]]))}
    energy = build_slots(WALLBOX, samples, Timeline(NOON, SLOT, slots)).columns["vehicle_kwh"]
    np.testing.assert_allclose(energy.sum(), (lengths * kw).sum() / 60, atol=SUM)


@settings(deadline=None)
@given(RISES, PLACES, st.integers(1, HOURS * 4 - 1))
def test_two_windows_that_meet_give_what_one_gives(
    rises: FloatArray, places: list[int], cut: int
) -> None:
    kwh = counted(rises)
    samples = {"meter": Samples("meter", "kWh", minutes(*places), kwh[places])}
    whole = build_slots(SITE, samples, Timeline(NOON, SLOT, HOURS * 4))
    parts = [
        build_slots(SITE, samples, Timeline(NOON + first * SLOT, SLOT, count))
        for first, count in ((0, cut), (cut, HOURS * 4 - cut))
    ]
    np.testing.assert_allclose(
        np.concatenate([part.columns["load_kwh"] for part in parts]),
        whole.columns["load_kwh"],
        atol=2e-6,
    )
    np.testing.assert_array_equal(np.concatenate([part.repaired for part in parts]), whole.repaired)


@settings(deadline=None)
@given(RISES, PLACES)
def test_building_twice_gives_the_same(rises: FloatArray, places: list[int]) -> None:
    kwh = counted(rises)
    first = build(places, kwh[places])
    second = build(places, kwh[places])
    np.testing.assert_array_equal(first.columns["load_kwh"], second.columns["load_kwh"])
    assert (first.rejected, first.counts) == (second.rejected, second.counts)


ENERGIES = st.lists(st.floats(0, 5) | st.just(float("nan")), min_size=4, max_size=4).map(np.array)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        dict.fromkeys((*SOURCES, *SINKS), ENERGIES),
        optional=dict.fromkeys(("load_kwh", *SUBMETERED), ENERGIES),
    )
)
def test_sources_are_sinks_and_loads_and_what_is_left(measured: dict[str, FloatArray]) -> None:
    settled = compute_balance(describe_metered(), measured)
    columns = measured | settled
    assert not (settled["load_kwh"] < 0).any()
    known = ~np.isnan(settled["residual_kwh"])
    # Unknown exactly where any meter is.
    np.testing.assert_array_equal(known, ~np.isnan(np.sum(list(measured.values()), axis=0)))
    sources, others = (
        np.sum([columns[name][known] for name in names if name in columns], axis=0)
        for names in (SOURCES, (*SINKS, "load_kwh", *SUBMETERED))
    )
    np.testing.assert_allclose(sources, others + settled["residual_kwh"][known], atol=1e-9)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, HOURS * 60), st.floats(-20, 150) | st.just(float("nan"))),
        max_size=60,
    )
)
def test_a_state_of_charge_lies_between_empty_and_full(said: list[tuple[float, float]]) -> None:
    places, percent = zip(*said, strict=True) if said else ((), ())
    samples = {"soc": Samples("soc", "%", minutes(*places), np.array(percent, dtype=np.float64))}
    soc = build_slots(
        describe_metered(battery_soc="soc"), samples, Timeline(NOON, SLOT, HOURS * 4)
    ).columns["soc"]
    assert not ((soc < 0) | (soc > 1)).any()
