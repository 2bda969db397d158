"""What who waits for a job is told of its end."""

from datetime import UTC, datetime

from luna.contracts.job import Job
from luna.energy.errors import (
    ConflictError,
    InvalidInputError,
    LunaError,
    NotFoundError,
    UnavailableError,
)
from luna.platform.queue.jobs import explain_end
from tests.support.suite.tables import each_row

NOW = datetime(2024, 1, 1, tzinfo=UTC)
FAILED = Job(
    job_id="j1",
    task="rag.documents.fetch",
    key="k",
    status="failed",
    attempts=1,
    submitted_at=NOW,
    finished_at=NOW,
    request={},
    trace_id="t",
)


@each_row(
    "raised",
    [
        InvalidInputError(
            "The address leads to a private network",
            field="url",
            value="10.0.0.1",
            remedy="Give the address of a public page.",
        ),
        NotFoundError(
            "no such site", field="site_id", value="hut", remedy="luna site list shows them."
        ),
        UnavailableError(
            "The server did not answer",
            field="url",
            value="http://example.org/",
            remedy="Try again later.",
        ),
    ],
    ids=lambda error: error.code,
)
def test_what_the_work_raised_comes_back_as_what_it_is(raised: LunaError) -> None:
    error = explain_end(FAILED.model_copy(update={"error": raised.problem()}))
    assert type(error) is type(raised)
    assert error.problem() == raised.problem()


def test_what_went_wrong_inside_names_the_job_to_look_at() -> None:
    inside = LunaError(
        "the task failed unexpectedly",
        field="task",
        value="rag.documents.fetch",
        remedy="The worker's log holds the reason.",
    )
    error = explain_end(FAILED.model_copy(update={"error": inside.problem()}))
    assert (type(error), error.status, error.value, error.remedy) == (
        LunaError,
        500,
        "j1",
        "See why: luna jobs show j1.",
    )
    assert str(inside) in error.message


def test_a_cancelled_job_is_a_conflict() -> None:
    assert type(explain_end(FAILED.model_copy(update={"status": "cancelled"}))) is ConflictError


def test_the_end_of_work_that_was_not_asked_for_names_it() -> None:
    error = explain_end(
        FAILED.model_copy(
            update={"error": NotFoundError("no such model", field="model", value="m").problem()}
        ),
        work="forecaster.issue.run",
    )
    assert (error.status, error.message, error.remedy) == (
        404,
        "forecaster.issue.run failed: no such model",
        "See why: luna jobs show j1.",
    )
