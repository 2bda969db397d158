"""What a plan changes, as runs of slots."""

from datetime import UTC, datetime, timedelta

from luna.contracts.slot_changes import SlotAction, SlotChange, list_runs

START = datetime(2024, 2, 1, tzinfo=UTC)
SLOT = timedelta(minutes=15)


def change(
    slot: int, before: tuple[str, float], after: tuple[str, float], *, device: str = "battery"
) -> SlotChange:
    was, will = (SlotAction(mode=mode, energy_kwh=energy) for mode, energy in (before, after))
    return SlotChange(start=START + slot * SLOT, device=device, before=was, after=will)


def test_slots_in_a_row_that_change_alike_are_one_run_with_their_energy() -> None:
    runs = list_runs([change(slot, ("hold", 0.0), ("charge", 0.5)) for slot in range(4)], SLOT)
    assert [(run.first, run.end, run.after.energy_kwh, run.shows) for run in runs] == [
        (START, START + 4 * SLOT, 2.0, True)
    ]


def test_another_mode_a_pause_and_another_device_begin_a_run_of_their_own() -> None:
    alike = [change(slot, ("hold", 0.0), ("charge", 0.5)) for slot in (0, 2)]
    others = [
        change(3, ("hold", 0.0), ("save", 0.5)),
        change(3, ("hold", 0.0), ("charge", 0.5), device="second"),
    ]
    assert len(list_runs([*alike, *others], SLOT)) == 4


def test_devices_that_take_turns_in_the_list_are_runs_side_by_side() -> None:
    mixed = [
        change(slot, ("hold", 0.0), ("charge", 0.5), device=device)
        for slot in range(3)
        for device in ("one", "two")
    ]
    assert [(run.device, run.end) for run in list_runs(mixed, SLOT)] == [
        ("one", START + 3 * SLOT),
        ("two", START + 3 * SLOT),
    ]


def test_what_a_table_shows_as_the_same_is_left_out() -> None:
    little, much = (
        list_runs(
            [change(slot, ("supply", -0.1), ("supply", -0.1 - more)) for slot in range(4)], SLOT
        )
        for more in (0.01, 0.02)
    )
    assert [run.shows for run in (*little, *much)] == [False, True]
