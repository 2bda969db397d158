"""What holds for all of the code: every module is imported, those that need PyTorch as well."""

from importlib import import_module

from luna.contracts.tasks import REQUESTS
from luna.energy.errors import error_classes
from luna.platform.queue.services import SERVICES
from luna.platform.queue.task import definitions
from tests.support.recordings import surfaces
from tests.support.recordings.comparison import hold

# Code of a problem document → HTTP status and exit code.
ERROR_CODES = {
    "agent-modes": (500, 1),
    "agent-plan": (500, 1),
    "artefact": (500, 1),
    "confirmation-needed": (403, 2),
    "conflict": (409, 1),
    "device": (503, 1),
    "forbidden": (403, 2),
    "full": (503, 1),
    "infeasible": (500, 1),
    "internal": (500, 1),
    "invalid-input": (422, 2),
    "machine": (500, 1),
    "missing-segment": (500, 1),
    "network": (500, 1),
    "not-found": (404, 2),
    "plan-mismatch": (500, 1),
    "precondition-failed": (412, 1),
    "precondition-required": (428, 2),
    "solver": (500, 1),
    "source": (503, 1),
    "steering-away": (503, 1),
    "source-refused": (422, 2),
    "spool-damaged": (500, 1),
    "target-not-reached": (500, 1),
    "too-many-requests": (429, 1),
    "unauthenticated": (401, 2),
    "unavailable": (503, 1),
    "unreadable": (409, 1),
    "unsupported-media-type": (415, 2),
}


def test_metrics_are_as_recorded() -> None:
    hold("metrics.json", surfaces.metrics())


def test_every_error_code_has_one_status_and_one_exit_code() -> None:
    surfaces.import_everything()
    ours = [kind for kind in error_classes() if kind.__module__.startswith(("luna.", "services."))]
    answers = {(kind.code, kind.status, kind.exit_code) for kind in ours}
    assert answers == {(code, *answer) for code, answer in ERROR_CODES.items()}
    assert [kind.__name__ for kind in ours if not kind.title] == []


def test_the_list_names_every_request_that_a_service_answers_and_no_other() -> None:
    for service in SERVICES:
        import_module(f"services.{service}.tasks")
    ours = [each for each in definitions().values() if each.body.__module__.startswith("services.")]
    answered = {definition.name for definition in ours}
    assert {request.task for request in REQUESTS} == answered
    assert len(REQUESTS) == len(answered)
    assert [each.name for each in ours if not each.soft_limit < each.hard_limit] == []
