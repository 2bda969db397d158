"""Causes of giving energy: limits, what selling or serving gains, and what is left."""

from collections.abc import Iterator

from services.planner.reply.causes.declaration import TIME, Cause, Figures
from services.planner.reply.causes.shared import (
    find_outside_limits,
    find_spared_for_car,
    find_weighed,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.month_peaks import find_peak_price


def list_giving_limits(evidence: Evidence) -> Iterator[Cause]:
    """Yield limits that make a battery give energy."""
    yield find_outside_limits(evidence, evidence.above_limits)
    # Giving keeps the month's peak: it, and what raising it would cost.
    peak_kw = evidence.peak_kwh / evidence.hours
    yield Cause(
        "peak", evidence.keeps_peak, {"kw": peak_kw, "cost": find_peak_price(evidence.plan)}
    )
    # A battery serves what the full connection cannot bring.
    connection = {"kw": evidence.connection_kwh / evidence.hours}
    is_beyond_operator = evidence.serves & evidence.fills_operators_limit
    yield Cause("operator_limit", is_beyond_operator, connection)
    is_beyond_connection = evidence.serves & evidence.fills_connection
    yield Cause("grid_limit", is_beyond_connection, connection)
    yield find_spared_for_car(evidence)
    # A battery serves as much as it can, and the house draws more.
    serves_all_it_can = evidence.serves & evidence.short & evidence.gives_all
    yield Cause("power_limit", serves_all_it_can, {"kw": evidence.discharge / evidence.hours})


def list_selling_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield the cause of selling from a battery: it pays more than a stored kWh is worth."""
    is_cheaper = evidence.below(evidence.value, evidence.sell)
    selling_beats_keeping = is_cheaper & evidence.at_most(evidence.value, evidence.sold)
    sale = {"kwh": evidence.sold_kwh, "sell": evidence.sell, "value": evidence.value}
    yield Cause("sell_stored", selling_beats_keeping, sale)


def list_serving_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of serving the house from a battery."""
    # Buying costs more than a stored kWh is worth.
    is_dearer = evidence.below(evidence.value, evidence.buy)
    saves = is_dearer & evidence.at_most(evidence.value, evidence.save)
    yield Cause("serve_house", saves, {"buy": evidence.buy, "value": evidence.value})
    # Buying costs more than the next charge, with its losses and wear.
    refill_is_cheaper = evidence.below(evidence.refill_cost, evidence.buy)
    price_and_refill: Figures = {"buy": evidence.buy, TIME: evidence.next_charge}
    yield Cause("serve_house", refill_is_cheaper, price_and_refill)


def list_plain_giving(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of giving that no price explains: no price is compared."""
    yield find_weighed(evidence)
    sale = {"kwh": evidence.sold_kwh, "sell": evidence.sell}
    yield Cause("sell_stored", evidence.sells, sale)
    yield Cause("serve_house", evidence.serves, {"buy": evidence.buy})
    yield Cause("other_battery", evidence.gives, {"kwh": evidence.shares.passed_kwh})
