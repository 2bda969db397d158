"""Requests made up from the gateway's own description: whatever is sent, the answer is one that the
description names.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, given, settings, strategies

from luna.platform.embedded.supervisor import Servers
from services.api.app import ROUTES, describe_routes
from tests.support.gateway.people import Gate, gate_with_people
from tests.support.suite.depth import LONG
from tests.support.worker.environment import second_queue

# The same few in every run, so that a change is refused for what it did; LUNA_FUZZ_EXAMPLES=200
# draws so many anew, as the audit does each week.
ASKED = os.environ.get("LUNA_FUZZ_EXAMPLES")
EXAMPLES = int(ASKED or (3 if LONG else 1))
LABELS = [
    f"{route.operation.method} {route.path_format}" for route in ROUTES if route.include_in_schema
]


@cache
def describe_operations() -> dict[str, Any]:
    """Return what the description says of each operation, by method and path."""
    # Takes a second to be imported, and a second to read the description: who runs other tests does
    # neither.
    import schemathesis

    schema = schemathesis.openapi.from_dict(describe_routes())
    # What a schema cannot say (a day before another, a cursor of another list) is refused in words.
    # No worker runs, and who asks for something of it is told so.
    schema.config.checks.positive_data_acceptance.expected_statuses = [
        "2xx",
        "304",
        "401",
        "403",
        "404",
        "409",
        "412",
        "422",
        "428",
        "429",
        "503",
    ]
    schema.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", "503"]
    return {
        operation.label: operation
        for operation in (found.ok() for found in schema.get_all_operations())
    }


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """A gateway on a database and a queue of its own, for what is made up may add people and work.

    It waits for no worker: there is none.
    """
    queue = second_queue(redis_url)
    with gate_with_people(
        servers.database_url, queue, plan_timeout=timedelta(milliseconds=20)
    ) as gate:
        yield gate
    # Workers of other tests on this queue would do what was asked for here.
    with redis.Redis.from_url(queue) as left:
        left.flushdb()


def test_every_route_is_described() -> None:
    assert sorted(describe_operations()) == sorted(LABELS)


@pytest.mark.parametrize("label", LABELS)
@given(data=strategies.data())
@settings(
    max_examples=EXAMPLES,
    derandomize=ASKED is None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_described(
    label: str, gate: Gate, data: strategies.DataObject
) -> None:
    operation = describe_operations()[label]
    data.draw(operation.as_strategy()).call_and_validate(
        base_url=str(gate.client.base_url), headers=gate.session("admin", confirmed=True)
    )
