"""Every task there is, as its request declares it.

Requests say which tasks beat asks for, and which may be asked for as jobs.
"""

from luna.contracts.agent import (
    AgentCardRequest,
    AgentReplayRequest,
    DayPictureRequest,
    EvaluateAgentRequest,
    TrainAgentRequest,
)
from luna.contracts.agent_control import NightRequest, ShadowPlanRequest
from luna.contracts.alternative import WhyNotRequest
from luna.contracts.answers import AskRequest
from luna.contracts.battery_trial import TryBatteriesRequest
from luna.contracts.charging_sessions import FollowSessionsRequest
from luna.contracts.data import (
    BackfillRequest,
    BuildSlotsRequest,
    FetchCarbonRequest,
    FetchLimitsRequest,
    FetchPricesRequest,
    FetchPvRequest,
    FetchWeatherRequest,
    JudgeQualityRequest,
    LoadFileRequest,
    ResolveRequest,
)
from luna.contracts.device_search import FindDevicesRequest
from luna.contracts.documents import (
    AddExamplesRequest,
    CompleteVectorsRequest,
    FetchDocumentRequest,
    IngestRequest,
    ReindexRequest,
)
from luna.contracts.edge import STAGE_REQUESTS, EdgeRunRequest, SimulateGroupRequest
from luna.contracts.extras import ChangeExtraRequest
from luna.contracts.file_guess import GuessFileRequest
from luna.contracts.fleet import FollowChangesRequest, PlanSitesRequest, RefreshPlansRequest
from luna.contracts.forecast import (
    EnsureForecastsRequest,
    EvaluateRequest,
    IssueRequest,
    RefreshForecastsRequest,
    RenewModelsRequest,
    TrainRequest,
)
from luna.contracts.forecast_explanation import ExplainRequest, IssueScenariosRequest
from luna.contracts.forecast_versions import (
    CardRequest,
    JudgeForecastsRequest,
    PromoteRequest,
    RollbackRequest,
)
from luna.contracts.history_care import FindGapsRequest, RepairRequest, VerifyRequest
from luna.contracts.job import (
    ArchiveLogsRequest,
    DemoLoadRequest,
    RefreshRollupsRequest,
    ResendRequest,
    RetentionRequest,
)
from luna.contracts.message import Request, Schedule
from luna.contracts.notification import NotifyRequest, NotifyTestRequest
from luna.contracts.plan import PlanRequest
from luna.contracts.plan_improvement import SearchPlansRequest
from luna.contracts.plan_questions import CheckPlansRequest, ParetoRequest, PlanChangesRequest
from luna.contracts.recommendations import (
    RecommendRequest,
    RecordEventsRequest,
    RefreshRecommendationsRequest,
)
from luna.contracts.replay import ReplayRequest, ReplaySitesRequest
from luna.contracts.search import EmbedRequest, SearchRequest
from luna.contracts.simulated_home import RemoveSimulatedHomeRequest, SimulatedHomeRequest
from luna.contracts.site_tools import ToolCallRequest, ToolListRequest
from luna.contracts.variant import PlanVariantRequest, WhatIfVariantRequest

# In the order in which lists name them.
REQUESTS: tuple[type[Request], ...] = (
    ResendRequest,
    RefreshRollupsRequest,
    RetentionRequest,
    ArchiveLogsRequest,
    LoadFileRequest,
    GuessFileRequest,
    FindDevicesRequest,
    TryBatteriesRequest,
    ResolveRequest,
    PlanRequest,
    PlanSitesRequest,
    SearchPlansRequest,
    RefreshPlansRequest,
    FollowChangesRequest,
    FollowSessionsRequest,
    PlanChangesRequest,
    WhyNotRequest,
    PlanVariantRequest,
    WhatIfVariantRequest,
    ReplayRequest,
    ReplaySitesRequest,
    TrainRequest,
    IssueRequest,
    EnsureForecastsRequest,
    IssueScenariosRequest,
    EvaluateRequest,
    ExplainRequest,
    DemoLoadRequest,
    SimulatedHomeRequest,
    RemoveSimulatedHomeRequest,
    ChangeExtraRequest,
    RefreshForecastsRequest,
    RenewModelsRequest,
    JudgeForecastsRequest,
    PromoteRequest,
    RollbackRequest,
    JudgeQualityRequest,
    FetchPricesRequest,
    FetchPvRequest,
    FetchWeatherRequest,
    FetchCarbonRequest,
    FetchLimitsRequest,
    BuildSlotsRequest,
    BackfillRequest,
    ParetoRequest,
    CheckPlansRequest,
    CardRequest,
    FindGapsRequest,
    RepairRequest,
    VerifyRequest,
    NotifyRequest,
    NotifyTestRequest,
    SearchRequest,
    EmbedRequest,
    IngestRequest,
    FetchDocumentRequest,
    AddExamplesRequest,
    ReindexRequest,
    CompleteVectorsRequest,
    ToolListRequest,
    ToolCallRequest,
    AskRequest,
    RecommendRequest,
    RecordEventsRequest,
    RefreshRecommendationsRequest,
    TrainAgentRequest,
    AgentCardRequest,
    AgentReplayRequest,
    EvaluateAgentRequest,
    DayPictureRequest,
    ShadowPlanRequest,
    NightRequest,
    *STAGE_REQUESTS.values(),
    SimulateGroupRequest,
    EdgeRunRequest,
)


def list_periodic() -> dict[type[Request], Schedule]:
    """Return the requests that beat sends, each with its schedule.

    Those of one service stand together.
    """
    services = list(dict.fromkeys(request.queue() for request in REQUESTS))
    due: dict[type[Request], Schedule] = {}
    for service in services:
        for request in REQUESTS:
            if request.schedule is not None and request.queue() == service:
                due[request] = request.schedule
    return due


def list_public() -> dict[str, type[Request]]:
    """Return the requests that may be sent as jobs, by task."""
    return {request.task: request for request in REQUESTS if request.public}
