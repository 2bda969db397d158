"""What a slot costs: the only place where money and carbon are computed."""

from luna.energy.economics.charges import Blocks, EnergyCharge, charges, find_charge, list_months
from luna.energy.economics.costs import BreakEven, Costs, break_even, carbon_g, curtailment_rule, site_curtailment, slot_costs
from luna.energy.economics.peaks import MonthShare, Peak, PeakHistory, month_shares, peak_cost, read_history
from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED, PricedSlots, SpotPrices, extend_prices, price_slots, prices, publication_times

__all__ = [
    "DAY_AHEAD_PUBLISHED",
    "Blocks",
    "BreakEven",
    "Costs",
    "EnergyCharge",
    "MonthShare",
    "Peak",
    "PeakHistory",
    "PricedSlots",
    "SpotPrices",
    "break_even",
    "carbon_g",
    "charges",
    "curtailment_rule",
    "extend_prices",
    "find_charge",
    "list_months",
    "month_shares",
    "peak_cost",
    "price_slots",
    "prices",
    "publication_times",
    "read_history",
    "site_curtailment",
    "slot_costs",
]
