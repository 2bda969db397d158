"""``luna plans changes``: what is shown of a plan that is another."""

from datetime import UTC, datetime, timedelta

from luna.contracts.plan_questions import CauseCode, ModeChange, PlanChangesReply
from luna.house.capabilities.plans import join_changes

START = datetime(2024, 2, 1, 18, tzinfo=UTC)


def change(slot: int, *, device: str = "battery", cause: CauseCode = "manual") -> ModeChange:
    return ModeChange(
        start=START + slot * timedelta(minutes=15),
        device=device,
        before="hold",
        after="charge",
        cause=cause,
    )


def runs_of(*changes: ModeChange) -> list[tuple[str, int, int]]:
    """Return device, first slot and slot after the last of each run shown."""
    about = {
        "plan_id": "b",
        "before_id": "a",
        "site": "home",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "slots": 9,
        "slot_minutes": 15,
    }
    reply = PlanChangesReply.model_validate(about | {"causes": [], "changes": changes})
    step = timedelta(minutes=15)
    return [
        (each.device, (start - START) // step, (end - START) // step)
        for each, start, end in join_changes(reply)
    ]


def test_same_change_in_slots_that_follow_each_other_is_one_row() -> None:
    assert runs_of(change(0), change(0, device="car"), change(1), change(2)) == [
        ("battery", 0, 3),
        ("car", 0, 1),
    ]


def test_gap_or_another_cause_begins_a_row_of_its_own() -> None:
    assert runs_of(change(0), change(2), change(3, cause="prices")) == [
        ("battery", 0, 1),
        ("battery", 2, 3),
        ("battery", 3, 4),
    ]
