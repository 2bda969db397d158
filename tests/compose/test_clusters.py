"""The stack for several machines, read by the program that deploys it."""

import yaml

from tests.compose.stack import run


def test_swarm_takes_the_stack_as_it_is() -> None:
    said = run("docker", "stack", "config", "-c", "infra/swarm/stack.yml", environment={"REGISTRY": "registry.example/luna"})
    limits = {name: service["deploy"]["resources"]["limits"] for name, service in yaml.safe_load(said)["services"].items()}
    assert all(each["pids"] > 0 and each["memory"] for each in limits.values())
