"""Requests made up from the gateway's own description: whatever is sent, the answer is one that the description names."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies

from luna.platform.embedded.supervisor import Servers
from luna.platform.settings import Settings
from services.api.app import create_app
from tests.support.gateway.people import Gate, gate_with_people
from tests.support.suite.depth import THOROUGH
from tests.support.worker.environment import second_queue

# The same few in every run, so that a change is refused for what it did; LUNA_FUZZ_EXAMPLES=200 draws so many anew, as the audit does each week.
ASKED = os.environ.get("LUNA_FUZZ_EXAMPLES")
EXAMPLES = int(ASKED or (3 if THOROUGH else 1))
SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
# What a schema cannot say (a day before another, a cursor of another list) is refused in words; no worker runs, and who asks for something of it is told so.
SCHEMA.config.checks.positive_data_acceptance.expected_statuses = ["2xx", "304", "401", "403", "404", "409", "412", "422", "428", "429", "503"]
SCHEMA.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", "503"]


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """A gateway on a database and a queue of its own, for what is made up may add people and work; it waits for no worker: there is none."""
    queue = second_queue(redis_url)
    with gate_with_people(servers.database_url, queue, plan_timeout=timedelta(milliseconds=20)) as gate:
        yield gate
    # Workers of other tests on this queue would do what was asked for here.
    with redis.Redis.from_url(queue) as left:
        left.flushdb()


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
@given(data=strategies.data())
@settings(max_examples=EXAMPLES, derandomize=ASKED is None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_described(operation: Any, gate: Gate, data: strategies.DataObject) -> None:
    data.draw(operation.as_strategy()).call_and_validate(base_url=str(gate.client.base_url), headers=gate.session("admin", confirmed=True))
