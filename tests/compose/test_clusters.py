"""The stack for several machines, read by the program that deploys it."""

from typing import Any

import pytest
import yaml

from tests.compose.stack import run


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    """The stack as that program understands it."""
    said: dict[str, Any] = yaml.safe_load(
        run(
            "docker",
            "stack",
            "config",
            "-c",
            "infra/swarm/stack.yml",
            environment={"REGISTRY": "registry.example/luna"},
        )
    )
    return said


def test_swarm_takes_the_stack_as_it_is(stack: dict[str, Any]) -> None:
    limits = {
        name: service["deploy"]["resources"]["limits"]
        for name, service in stack["services"].items()
    }
    assert all(each["pids"] > 0 and each["memory"] for each in limits.values())


def test_who_waits_for_the_tables_starts_afterwards_what_the_stack_names(
    stack: dict[str, Any],
) -> None:
    planner = stack["services"]["planner"]
    assert planner["entrypoint"] == [
        "tini",
        "--",
        "sh",
        "-c",
        'python -m luna.platform.health.schema && exec entrypoint "$@"',
        "sh",
    ]
    assert planner["command"][:4] == ["python", "-m", "luna.platform.queue.worker", "planner"]


def test_what_is_unpacked_lies_in_a_volume_without_a_name(stack: dict[str, Any]) -> None:
    assert {"type": "volume", "target": "/var/lib/luna"} in stack["services"]["rag"]["volumes"]
    assert "reading" not in stack["volumes"]
