"""What a kWh that a battery stores is worth by the flows that a plan expects."""

from dataclasses import replace

import pytest

from luna.energy.steering import ExpectedSlot, price_stored_kwh

QUIET = ExpectedSlot(
    import_price=0.3, export_price=0.08, import_kwh=0.0, export_kwh=0.0, charge_kwh=0.0, soc=0.5
)
SUNNY = replace(QUIET, export_kwh=0.5, charge_kwh=0.4, soc=1.0)
BUYS_FOR_ITSELF = replace(QUIET, import_price=0.15, import_kwh=1.0, charge_kwh=1.0)
EMPTY = replace(QUIET, import_price=0.4, import_kwh=0.3, soc=0.1)


@pytest.mark.parametrize(
    ("slots", "price"),
    [
        # More sun would be fed in before it is empty, or bought for it at 0.15.
        ([QUIET, SUNNY, EMPTY], 0.08),
        ([QUIET, BUYS_FOR_ITSELF, EMPTY], 0.15),
        # The sun comes too late: 0.9 kWh are bought less at 0.40.
        ([QUIET, EMPTY, SUNNY], 0.36),
        # It is never empty, and what is left saves the cheapest kWh.
        ([QUIET, replace(QUIET, import_price=0.2)], 0.18),
    ],
    ids=["sun", "bought", "empty", "left"],
)
def test_a_stored_kwh_is_worth_what_the_plan_does_instead(
    slots: list[ExpectedSlot], price: float
) -> None:
    assert price_stored_kwh(slots, round_trip=0.9) == pytest.approx(price)
