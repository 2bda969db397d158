"""Whatever limits an operator sends, in any order: the strictest counts while it holds."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.operator_limits import (
    OperatorLimit,
    find_in_force,
    limit_slots,
    meter_import_kw,
)
from luna.energy.timeline import SLOT, Timeline
from tests.support.suite.depth import draws

START = datetime(2026, 3, 28, 22, tzinfo=UTC)
TIMELINE = Timeline(START, SLOT, 24)
moderate = settings(max_examples=draws(100), deadline=None)

minutes = st.integers(-120, 480)
powers = st.one_of(st.none(), st.floats(0, 30))
energies = st.lists(st.floats(0, 4), min_size=24, max_size=24).map(np.array)


@st.composite
def operator_limits(draw: st.DrawFn) -> OperatorLimit:
    start = START + timedelta(minutes=draw(minutes))
    lasting = draw(st.one_of(st.none(), st.integers(1, 400)))
    end = None if lasting is None else start + timedelta(minutes=lasting)
    return OperatorLimit(
        limit_id=draw(st.uuids()).hex,
        start=start,
        end=end,
        import_kw=draw(powers),
        export_kw=draw(powers),
        scope=draw(st.sampled_from(["devices", "connection"])),
        source=draw(st.sampled_from(["api", "mqtt", "contact"])),
    )


some_limits = st.lists(operator_limits(), max_size=6)


@moderate
@given(limits=some_limits, at=minutes, data=st.data())
def test_the_strictest_counts_in_any_order(
    limits: list[OperatorLimit], at: int, data: st.DataObject
) -> None:
    instant = START + timedelta(minutes=at)
    shuffled = data.draw(st.permutations(limits))
    force = find_in_force(limits, instant)
    assert find_in_force(shuffled, instant) == force
    holding = [limit for limit in limits if limit.holds_at(instant)]
    assert (force is None) == (holding == [])
    for limit in holding:
        assert force is not None
        imported_kw = force.devices_import_kw if limit.scope == "devices" else force.import_kw
        assert limit.import_kw is None or imported_kw <= limit.import_kw
        assert limit.export_kw is None or force.export_kw <= limit.export_kw
        assert force.since <= limit.start
        assert limit.source in force.sources


@moderate
@given(limits=some_limits, added=operator_limits(), load_kwh=energies, pv_kwh=energies)
def test_one_more_limit_never_allows_more(
    limits: list[OperatorLimit],
    added: OperatorLimit,
    load_kwh: np.ndarray,
    pv_kwh: np.ndarray,
) -> None:
    before = limit_slots(limits, TIMELINE, load_kwh=load_kwh, pv_kwh=pv_kwh)
    after = limit_slots([*limits, added], TIMELINE, load_kwh=load_kwh, pv_kwh=pv_kwh)
    assert (after.import_kw <= before.import_kw).all()
    assert (after.export_kw <= before.export_kw).all()


@moderate
@given(limits=some_limits, load_kwh=energies, pv_kwh=energies, at=st.integers(0, 24 * 15 - 1))
def test_slots_allow_no_more_than_each_of_their_instants(
    limits: list[OperatorLimit], load_kwh: np.ndarray, pv_kwh: np.ndarray, at: int
) -> None:
    slots = limit_slots(limits, TIMELINE, load_kwh=load_kwh, pv_kwh=pv_kwh)
    force = find_in_force(limits, START + timedelta(minutes=at))
    if force is None:
        return
    slot = at // 15
    allowed_kw = meter_import_kw(
        force.import_kw,
        force.devices_import_kw,
        house_kw=load_kwh[slot] * 4,
        pv_kw=pv_kwh[slot] * 4,
    )
    assert slots.import_kw[slot] <= allowed_kw + 1e-9
    assert slots.export_kw[slot] <= force.export_kw


@moderate
@given(limits=some_limits)
def test_slots_outside_of_all_limits_are_free(limits: list[OperatorLimit]) -> None:
    slots = limit_slots(limits, TIMELINE, load_kwh=np.zeros(24), pv_kwh=np.zeros(24))
    for slot, start in enumerate(TIMELINE):
        touched = any(limit.overlaps(start, start + SLOT) for limit in limits)
        if not touched:
            assert np.isinf(slots.import_kw[slot])
            assert np.isinf(slots.export_kw[slot])
