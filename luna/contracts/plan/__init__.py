"""Ask for a plan, receive one.

The JSON form is an outward interface: add fields, never rename them.
"""

from luna.contracts.forecast import ForecastSource
from luna.contracts.plan.reply import (
    Assumption,
    BatteryFlow,
    CheapestReply,
    CompromiseReply,
    CostReply,
    FollowedReply,
    NoteReply,
    ObjectiveReason,
    ObjectiveReply,
    PlanId,
    PlanReply,
    PriceOrigin,
    PriceSpan,
    SessionReply,
    SlotReply,
    UncertaintyReply,
)
from luna.contracts.plan.request import (
    MAX_SCENARIOS,
    MAX_SLOTS,
    SCENARIO_DIGITS,
    Bias,
    Energies,
    OutlookMessage,
    PlanOptions,
    PlanRequest,
    Prices,
    ScenariosMessage,
    Terminal,
)
from luna.contracts.plan.state import BatteryState, PeakState, StateMessage
from luna.energy.reason import ReasonReply

__all__ = [
    "MAX_SCENARIOS",
    "MAX_SLOTS",
    "SCENARIO_DIGITS",
    "Assumption",
    "BatteryFlow",
    "BatteryState",
    "Bias",
    "CheapestReply",
    "CompromiseReply",
    "CostReply",
    "Energies",
    "FollowedReply",
    "ForecastSource",
    "NoteReply",
    "ObjectiveReason",
    "ObjectiveReply",
    "OutlookMessage",
    "PeakState",
    "PlanId",
    "PlanOptions",
    "PlanReply",
    "PlanRequest",
    "PriceOrigin",
    "PriceSpan",
    "Prices",
    "ReasonReply",
    "ScenariosMessage",
    "SessionReply",
    "SlotReply",
    "StateMessage",
    "Terminal",
    "UncertaintyReply",
]
