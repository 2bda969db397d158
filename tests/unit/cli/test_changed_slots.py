"""What an alternative changes is shown with when and where it does so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan import CostReply
from luna.contracts.slot_changes import CostChange, SlotAction, SlotChange
from luna.contracts.variant import PlanVariantReply
from luna.house.capabilities.variants import plan_variant
from luna.house.capability import TextTable
from luna.words import Numbers

# Wednesday, 10:00 in Berlin.
START = datetime(2026, 5, 6, 8, tzinfo=UTC)
COST = CostReply.model_validate({"total": 0.0, "import": 0.0, "export": 0.0, "wear": 0.0})


def show(changes: list[SlotChange]) -> list[str | TextTable]:
    more = CostChange.model_validate(
        {"total": 0.0, "import": 0.0, "export": 0.0, "wear": 0.0, "stored": 0.0}
    )
    reply = PlanVariantReply(
        plan_id="p1",
        variant="larger",
        before=COST,
        after=COST,
        cost=more,
        changes=changes,
        text="It costs as much.",
        currency="EUR",
        timezone="Europe/Berlin",
    )
    assert callable(plan_variant.shown)
    return list(plan_variant.shown(reply, Numbers("en", ZoneInfo("UTC"), "EUR")))


def test_slots_in_a_row_are_one_row_from_its_first_to_its_end() -> None:
    charge = SlotAction(mode="charge", energy_kwh=0.5)
    hold = SlotAction(mode="hold", energy_kwh=0.0)
    changes = [
        SlotChange(
            start=START + slot * timedelta(minutes=15), device="battery", before=hold, after=charge
        )
        for slot in range(4)
    ]
    table = show(changes)[-1]
    assert isinstance(table, TextTable)
    (row,) = table.rows
    assert len(row) == len(table.headings)
    assert row[:3] == ["Wed 10:00", "Wed 11:00", "battery"]
    assert row[4].replace("\u00a0", " ").endswith("2.0 kWh")


def test_without_a_change_one_sentence_stands_in_the_place_of_the_table() -> None:
    assert show([])[-1] == "Nothing else changes."
