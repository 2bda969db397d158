"""Two nodes, each a network namespace of its own: one is killed whole under load."""

import pytest

from bench.namespaces import network
from bench.nodes import Callers, cluster, kill
from luna.energy.errors import MachineError

WORKER = ("planner", "ingest", "--processes", "2", "--beat-seconds", "1")


@pytest.fixture(scope="module", autouse=True)
def _nodes_can_be_had() -> None:
    try:
        with network(1):
            return
    except (MachineError, OSError) as error:
        pytest.skip(f"no nodes on this machine: {error}")


# In a short run a worker is killed under load, in tests/system/planner/test_fleet_killed.py.
@pytest.mark.long
def test_a_node_that_dies_under_load_loses_nothing_and_doubles_nothing() -> None:
    with cluster(2) as there:
        for node in there.nodes:
            there.start(node, [WORKER])
        there.wait_ready(2)
        with Callers(there):
            killed = kill(there, there.nodes[1])
        found = there.settle()
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert found["begun_again"] >= killed["jobs"] > 0
    assert found["replay_rows"]["stored"] == found["replay_rows"]["expected"] > 0
