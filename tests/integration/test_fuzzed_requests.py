"""Requests made up from the gateway's own description: whatever is sent, the answer is one that the description names."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies

from luna.embedded import Addresses
from luna.settings import Settings
from services.api.app import create_app
from tests.gateway import serve

# A handful for every run; LUNA_FUZZ_EXAMPLES=200 for a long one.
EXAMPLES = int(os.environ.get("LUNA_FUZZ_EXAMPLES", "3"))
# What signs somebody in changes who asks for all that follows.
SIGNING_IN = "/v1/auth"
SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi()).exclude(path_regex=SIGNING_IN)
PLENTY = 1_000_000
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
# No worker runs, and who asks for something of it is told so.
SCHEMA.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", "503"]


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    """A gateway that waits for no worker: there is none."""
    with serve(Addresses(database_url=database_url, redis_url=redis_url), plan_timeout=timedelta(milliseconds=20), requests_per_minute=PLENTY) as client:
        yield client


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
@given(data=strategies.data())
@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_described(operation: Any, api: httpx.Client, data: strategies.DataObject) -> None:
    data.draw(operation.as_strategy()).call_and_validate(base_url=str(api.base_url))
