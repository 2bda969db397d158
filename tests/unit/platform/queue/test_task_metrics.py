"""What a task counts in a process of its own is read from the worker's first process."""

import os
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import REGISTRY

from luna.platform.queue.task_metrics import MetricPipe, TaskCounter, TaskHistogram, open_pipe

COUNTED = TaskCounter("luna_test_counted_total", "Steps of a test.")
OF_KIND = TaskCounter("luna_test_counted_by_kind_total", "Steps of a test by kind.", ["kind"])
MEASURED = TaskHistogram(
    "luna_test_measured_seconds", "A length of a test.", ["kind"], buckets=(1, 10)
)


@pytest.fixture
def pipe() -> Iterator[MetricPipe]:
    pipe = open_pipe()
    yield pipe
    pipe.close()


def in_child(act: Callable[[], None]) -> None:
    """Run ``act`` in a forked process and wait for its end."""
    if not (child := os.fork()):
        act()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_what_a_child_counts_is_read_after_a_look(pipe: MetricPipe) -> None:
    def work() -> None:
        COUNTED.inc()
        OF_KIND.labels("young").inc(3)
        MEASURED.labels("young").observe(5)

    before = (
        sample("luna_test_counted_total"),
        sample("luna_test_counted_by_kind_total", kind="young"),
    )
    in_child(work)
    in_child(work)
    assert sample("luna_test_counted_total") == before[0]
    pipe.drain()
    assert (
        sample("luna_test_counted_total"),
        sample("luna_test_counted_by_kind_total", kind="young"),
    ) == (before[0] + 2, before[1] + 6)
    assert (
        sample("luna_test_measured_seconds_bucket", kind="young", le="1.0"),
        sample("luna_test_measured_seconds_sum", kind="young"),
    ) == (0, 10)


def test_the_first_process_counts_where_it_stands(pipe: MetricPipe) -> None:
    before = sample("luna_test_counted_total")
    COUNTED.inc()
    assert sample("luna_test_counted_total") == before + 1
    pipe.drain()
    assert sample("luna_test_counted_total") == before + 1


def test_a_pipe_that_nobody_reads_stops_no_task(pipe: MetricPipe) -> None:
    def work() -> None:
        for _ in range(40_000):
            COUNTED.inc()

    before = sample("luna_test_counted_total")
    in_child(work)
    pipe.drain()
    assert 1000 < sample("luna_test_counted_total") - before < 40_000
