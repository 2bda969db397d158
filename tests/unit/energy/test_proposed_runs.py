"""Which runs of a plan are proposed to people."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from luna.energy.proposed_runs import (
    LITTLE_KWH,
    ProposedRun,
    ProposedSlot,
    find_proposed_runs,
    moved_kwh,
)

HOUSE = ProposedSlot("self_consumption")
BUYS = ProposedSlot("charge", 1.0)
BUYS_LITTLE = ProposedSlot("charge", 0.027)
WAITS = ProposedSlot("save")
NOTHING = ProposedSlot(None)
OWN = ProposedSlot("charge", 0.0, by_owner=True)


def told(*slots: ProposedSlot) -> list[tuple[str, int, int]]:
    return [(run.mode, run.first, run.end) for run in find_proposed_runs(slots)]


def test_what_moves_next_to_nothing_is_part_of_what_goes_on_before_it() -> None:
    assert told(HOUSE, BUYS_LITTLE, HOUSE, BUYS, BUYS) == [
        ("self_consumption", 0, 3),
        ("charge", 3, 5),
    ]
    assert told(HOUSE, BUYS_LITTLE, WAITS) == [("self_consumption", 0, 2), ("save", 2, 3)]


def test_what_comes_first_and_moves_next_to_nothing_is_part_of_what_follows() -> None:
    assert told(BUYS_LITTLE, HOUSE, HOUSE) == [("self_consumption", 0, 3)]
    assert told(BUYS_LITTLE) == [("charge", 0, 1)]


def test_little_in_each_slot_is_much_in_a_long_run() -> None:
    # 4 × 0.027 kWh = 0.108 kWh.
    assert told(HOUSE, *[BUYS_LITTLE] * 4) == [("self_consumption", 0, 1), ("charge", 1, 5)]


def test_what_the_owner_decided_stands_for_itself_and_gaps_stay_gaps() -> None:
    assert find_proposed_runs([HOUSE, OWN, BUYS_LITTLE, HOUSE]) == [
        ProposedRun("self_consumption", 0, 1, by_owner=False),
        ProposedRun("charge", 1, 2, by_owner=True),
        ProposedRun("self_consumption", 2, 4, by_owner=False),
    ]
    assert told(HOUSE, NOTHING, BUYS_LITTLE, HOUSE) == [
        ("self_consumption", 0, 1),
        ("self_consumption", 2, 4),
    ]


def test_selling_moves_what_the_battery_gives_to_the_grid() -> None:
    flows = {"charge_kwh": 0.5, "discharge_kwh": 0.4, "export_kwh": 0.3}
    assert [moved_kwh(mode, **flows) for mode in ("charge", "supply", "export")] == [0.5, 0.4, 0.3]
    assert moved_kwh("save", **flows) == moved_kwh(None, **flows) == float("inf")


@given(st.lists(st.sampled_from([HOUSE, BUYS, BUYS_LITTLE, WAITS, NOTHING, OWN])))
def test_runs_cover_what_is_decided_once_and_in_order(slots: list[ProposedSlot]) -> None:
    runs = find_proposed_runs(slots)
    assert [place for run in runs for place in range(run.first, run.end)] == [
        place for place, slot in enumerate(slots) if slot.mode is not None
    ]


@given(st.lists(st.sampled_from([HOUSE, BUYS, BUYS_LITTLE, WAITS])))
def test_of_several_runs_none_moves_next_to_nothing(slots: list[ProposedSlot]) -> None:
    runs = find_proposed_runs(slots)
    assert len(runs) < 2 or all(
        sum(slot.moved_kwh for slot in slots[run.first : run.end]) >= LITTLE_KWH for run in runs
    )
    assert all(before.mode != after.mode for before, after in pairwise(runs))
