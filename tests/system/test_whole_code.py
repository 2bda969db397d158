"""What all of the code says together: every module is imported, those that train networks as well, so PyTorch has to be there."""

from importlib import import_module

import pytest

from luna.contracts.tasks import REQUESTS
from luna.platform.queue.services import SERVICES
from luna.platform.queue.task import definitions
from tests.support.recordings import surfaces
from tests.support.recordings.comparison import hold

SURFACES = {"metrics.json": surfaces.metrics, "errors.json": surfaces.errors}


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_is_as_recorded(name: str) -> None:
    hold(name, SURFACES[name]())


def test_the_list_names_every_request_that_a_service_answers_and_no_other() -> None:
    for service in SERVICES:
        import_module(f"services.{service}.tasks")
    answered = {name for name, definition in definitions().items() if definition.body.__module__.startswith("services.")}
    assert {request.task for request in REQUESTS} == answered
    assert len(REQUESTS) == len(answered)
