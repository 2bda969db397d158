"""The messages services exchange: one request and one reply model per task."""

from luna.contracts.data import (
    FetchCarbonReply,
    FetchCarbonRequest,
    FetchPricesReply,
    FetchPricesRequest,
    FetchWeatherReply,
    FetchWeatherRequest,
    MarketPricesReply,
    SiteWeatherReply,
)
from luna.contracts.forecast import (
    EvaluateReply,
    EvaluateRequest,
    IssueReply,
    IssueRequest,
    TrainReply,
    TrainRequest,
)
from luna.contracts.job import (
    DemoLoadReply,
    DemoLoadRequest,
    DemoSiteReply,
    Provenance,
    RefreshRollupsReply,
    RefreshRollupsRequest,
    ResendReply,
    ResendRequest,
    RetentionReply,
    RetentionRequest,
)
from luna.contracts.message import Message, Request
from luna.contracts.plan import PlanReply, PlanRequest, ReasonReply, SlotReply
from luna.contracts.replay import PolicyReply, ReplayReply, ReplayRequest

__all__ = [
    "DemoLoadReply",
    "DemoLoadRequest",
    "DemoSiteReply",
    "EvaluateReply",
    "EvaluateRequest",
    "FetchCarbonReply",
    "FetchCarbonRequest",
    "FetchPricesReply",
    "FetchPricesRequest",
    "FetchWeatherReply",
    "FetchWeatherRequest",
    "IssueReply",
    "IssueRequest",
    "MarketPricesReply",
    "Message",
    "PlanReply",
    "PlanRequest",
    "PolicyReply",
    "Provenance",
    "ReasonReply",
    "RefreshRollupsReply",
    "RefreshRollupsRequest",
    "ReplayReply",
    "ReplayRequest",
    "Request",
    "ResendReply",
    "ResendRequest",
    "RetentionReply",
    "RetentionRequest",
    "SiteWeatherReply",
    "SlotReply",
    "TrainReply",
    "TrainRequest",
]
