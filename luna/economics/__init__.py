"""What a slot costs: the only place where money and carbon are computed."""

from luna.economics.costs import BreakEven, Costs, break_even, carbon_g, curtailment_rule, site_curtailment, slot_costs
from luna.economics.peaks import Blocks, MonthShare, Peak, PeakHistory, block_cost, list_months, month_shares, peak_cost, read_history
from luna.economics.prices import DAY_AHEAD_PUBLISHED, SpotPrices, extend_prices, price_slots, publication_times

__all__ = [
    "DAY_AHEAD_PUBLISHED",
    "Blocks",
    "BreakEven",
    "Costs",
    "MonthShare",
    "Peak",
    "PeakHistory",
    "SpotPrices",
    "block_cost",
    "break_even",
    "carbon_g",
    "curtailment_rule",
    "extend_prices",
    "list_months",
    "month_shares",
    "peak_cost",
    "price_slots",
    "publication_times",
    "read_history",
    "site_curtailment",
    "slot_costs",
]
