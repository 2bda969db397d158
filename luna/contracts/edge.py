"""The camera lab's stages and its whole pipeline.

A stage is asked for by configuration and seed; its files are kept in the object store under the
run's name.
"""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from luna.contracts.edge_summary import EdgeSummary
from luna.contracts.message import Message, Request

LabRunId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="names the run's folder; what an earlier stage made is found there",
    ),
]


class EdgeStageReply(Message):
    """Results of a stage in figures.

    ``files`` of the run are kept below ``edge/<run_id>/`` in the object store.
    """

    run_id: str
    stage: str
    seed: int
    figures: dict[str, Any]
    files: int


class EdgeStageRequest(Request):
    """The fields that the request of every stage has.

    Data are read from the worker's own folder ``edge``; what is missing there is drawn and marked
    as a stand-in.
    """

    reply: ClassVar[type[Message]] = EdgeStageReply
    public: ClassVar[bool] = True

    run_id: LabRunId
    config: Annotated[
        dict[str, Any], Field(description="as config/edge.jsonc; what is left out has its default")
    ] = {}
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


class WriteScenariosRequest(EdgeStageRequest):
    """Draw scenarios."""

    task: ClassVar[str] = "edge.scenarios.write"


class LabelScenariosRequest(EdgeStageRequest):
    """Draw scenarios and find the optimal decision of each."""

    task: ClassVar[str] = "edge.labels.make"


class TrainControllersRequest(EdgeStageRequest):
    """Train controllers on labelled scenarios."""

    task: ClassVar[str] = "edge.controllers.train"


class SimulateCameraRequest(EdgeStageRequest):
    """Simulate one camera under every controller."""

    task: ClassVar[str] = "edge.cameras.simulate"


class SimulateBatchRequest(EdgeStageRequest):
    """Simulate all cameras of a batch."""

    task: ClassVar[str] = "edge.batches.simulate"


class ReportBatchRequest(EdgeStageRequest):
    """Put a batch's results into figures, words and pictures."""

    task: ClassVar[str] = "edge.reports.write"


class SimulateGroupReply(Message):
    """The rows of a group's runs."""

    rows: list[dict[str, Any]]


class SimulateGroupRequest(Request):
    """Simulate cameras of a batch that run side by side.

    ``group`` says all there is to know, so that any machine can.
    """

    task: ClassVar[str] = "edge.groups.simulate"
    reply: ClassVar[type[Message]] = SimulateGroupReply

    group: Annotated[str, Field(min_length=2, max_length=20_000_000, description="JSON")]


class EdgeRunReply(Message):
    """Results of a whole run: the figures of each stage, and its batch's summary."""

    run_id: str
    seed: int
    figures: dict[str, dict[str, Any]]
    summary: EdgeSummary
    files: int


class EdgeRunRequest(EdgeStageRequest):
    """Run all stages in order, without those that are done."""

    task: ClassVar[str] = "edge.pipeline.run"
    reply: ClassVar[type[Message]] = EdgeRunReply


# By the name that commands and folders have for them, in the order in which they follow each other.
STAGE_REQUESTS: dict[str, type[EdgeStageRequest]] = {
    "scenarios": WriteScenariosRequest,
    "label": LabelScenariosRequest,
    "train": TrainControllersRequest,
    "simulate": SimulateCameraRequest,
    "batch": SimulateBatchRequest,
    "report": ReportBatchRequest,
}
PUBLIC_TASKS: tuple[str, ...] = (
    *(request.task for request in STAGE_REQUESTS.values()),
    EdgeRunRequest.task,
)
