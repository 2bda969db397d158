"""Ask for a plan, receive one. The JSON form is an outward interface: add fields, never rename them."""

from luna.contracts.plan.heat import HeatPumpFlow, HeatPumpState
from luna.contracts.plan.notes import Assumption, NoteReply
from luna.contracts.plan.objective import CheapestReply, ObjectiveReason, ObjectiveReply
from luna.contracts.plan.options import Language, PlanOptions, Terminal
from luna.contracts.plan.outlook import MAX_COURSES, MAX_SLOTS, Bias, CoursesMessage, Energies, ForecastSource, OutlookMessage, Prices
from luna.contracts.plan.peaks import PeakState
from luna.contracts.plan.reply import (
    BatteryFlow,
    CompromiseReply,
    CostReply,
    FollowedReply,
    LoadFlow,
    PlanReply,
    ReasonReply,
    SlotReply,
    UncertaintyReply,
    VehicleFlow,
)
from luna.contracts.plan.request import PlanRequest
from luna.contracts.plan.session import SessionReply
from luna.contracts.plan.state import BatteryState, LoadRun, LoadState, StateMessage, VehicleSession, VehicleState

__all__ = [
    "MAX_COURSES",
    "MAX_SLOTS",
    "Assumption",
    "BatteryFlow",
    "BatteryState",
    "Bias",
    "CheapestReply",
    "CompromiseReply",
    "CostReply",
    "CoursesMessage",
    "Energies",
    "FollowedReply",
    "ForecastSource",
    "HeatPumpFlow",
    "HeatPumpState",
    "Language",
    "LoadFlow",
    "LoadRun",
    "LoadState",
    "NoteReply",
    "ObjectiveReason",
    "ObjectiveReply",
    "OutlookMessage",
    "PeakState",
    "PlanOptions",
    "PlanReply",
    "PlanRequest",
    "Prices",
    "ReasonReply",
    "SessionReply",
    "SlotReply",
    "StateMessage",
    "Terminal",
    "UncertaintyReply",
    "VehicleFlow",
    "VehicleSession",
    "VehicleState",
]
