"""Declare the runs of the camera lab that workers do, and their results."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from luna.contracts.edge_summary import EdgeRun, EdgeRunResult
from luna.contracts.message import Message
from luna.house.capability import CapabilityCall, ReplyTable, TerminalForm, TextTable, capability
from luna.platform.database import edge_runs
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from luna.words import Numbers, say_instant

_NOUN = "edge"
# Of no site: called otherwise than jobs that are looked up by whose they are.
LabJobId = Annotated[
    str, Field(max_length=64, pattern=r"^[\w-]+$", description="of the job that runs the lab")
]


class EdgeRunList(Message):
    """Runs of the camera lab, those accepted last first."""

    runs: Annotated[list[EdgeRun], Field(description="one per job")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = (
        None
    )


_RUN_HEADINGS = ("job", "run", "status", "accepted")
_CONTROLLER_HEADINGS = (
    "controller",
    "runs",
    "clean share",
    "small misses",
    "large misses",
    "dirty Wh a day",
)


def _show_run(run: EdgeRun, numbers: Numbers) -> list[str]:
    return [run.job_id, run.run_id or "–", run.status, say_instant(run.submitted_at, numbers.zone)]


def _key_of_run(run: EdgeRun) -> tuple[str, str]:
    return run.submitted_at.isoformat(), run.job_id


def _show_result(result: EdgeRunResult, numbers: Numbers) -> Iterator[str | TextTable]:
    yield f"Job {result.run.job_id} is {result.run.status}."
    summary = result.summary
    if summary is None:
        return
    if summary.stands_in:
        yield (
            f"Nothing was measured at {', '.join(summary.stand_in_locations)}: stand-ins were "
            "drawn."
        )
    rows = []
    for controller in summary.controllers:
        estimates = (
            controller.clean_share,
            controller.small_miss_share,
            controller.large_miss_share,
        )
        shares = [numbers.share(estimate.value) for estimate in estimates]
        dirty = numbers.number(controller.dirty_wh_per_day.value, 3)
        rows.append([controller.controller, str(controller.runs), *shares, dirty])
    yield TextTable(_CONTROLLER_HEADINGS, rows)


@capability(
    "GET",
    "/v1/edge/runs",
    noun=_NOUN,
    scope="read",
    command="edge runs",
    shown=ReplyTable(
        _RUN_HEADINGS,
        _show_run,
        "runs",
        none=(
            "There are no runs yet: POST /v1/jobs with edge.pipeline.run, or use the "
            "page Camera lab."
        ),
    ),
)
def list_edge_runs(
    call: CapabilityCall, *, limit: Limit = 50, cursor: Cursor = None
) -> EdgeRunList:
    """List the runs of the camera lab.

    Return the runs and their status, without results.
    """
    rows = edge_runs.list_runs(
        call.connection, limit=limit + 1, after=read_instant_and_text(cursor)
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_run)
    return EdgeRunList(runs=page, cursor=following)


@capability(
    "GET",
    "/v1/edge/runs/{lab_job_id}",
    noun=_NOUN,
    scope="read",
    command="edge result",
    shown=_show_result,
    terminal=TerminalForm(options={"lab_job_id": "job"}, arguments=("lab_job_id",)),
)
def read_edge_run(call: CapabilityCall, lab_job_id: LabJobId) -> EdgeRunResult:
    """Read the result of a camera lab run.

    Return figures by controller with intervals, comparisons and trends. Results from stand-in data
    are marked.
    """
    return edge_runs.load_run(call.connection, lab_job_id)


CAPABILITIES = (
    list_edge_runs,
    read_edge_run,
)
