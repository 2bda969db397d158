"""The messages services exchange: one request and one reply model per task."""

from luna.contracts.demo import DemoLoadReply, DemoLoadRequest, DemoSiteReply, Provenance
from luna.contracts.forecast import EvaluateReply, EvaluateRequest, IssueReply, IssueRequest, TrainReply, TrainRequest
from luna.contracts.message import Message, Request
from luna.contracts.plan import PlanReply, PlanRequest, ReasonReply, SlotReply
from luna.contracts.replay import PolicyReply, ReplayReply, ReplayRequest
from luna.contracts.upkeep import ResendReply, ResendRequest, RetentionReply, RetentionRequest

__all__ = [
    "DemoLoadReply",
    "DemoLoadRequest",
    "DemoSiteReply",
    "EvaluateReply",
    "EvaluateRequest",
    "IssueReply",
    "IssueRequest",
    "Message",
    "PlanReply",
    "PlanRequest",
    "PolicyReply",
    "Provenance",
    "ReasonReply",
    "ReplayReply",
    "ReplayRequest",
    "Request",
    "ResendReply",
    "ResendRequest",
    "RetentionReply",
    "RetentionRequest",
    "SlotReply",
    "TrainReply",
    "TrainRequest",
]
