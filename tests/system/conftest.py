"""What tests of queues and workers need for themselves: a queue that nobody serves, a Redis that
may die.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from luna.platform.embedded.supervisor import Servers, start
from tests.support.browser.page import browser
from tests.support.worker.environment import second_queue

__all__ = ["browser", "own_redis", "quiet_queue"]


@pytest.fixture
def quiet_queue(redis_url: str) -> Iterator[str]:
    """A queue that is empty and served by nobody."""
    url = second_queue(redis_url)
    with redis.Redis.from_url(url) as admin:
        admin.flushdb()
        yield url
        admin.flushdb()


@pytest.fixture(scope="module")
def own_redis(kept_folder: Path) -> Iterator[Servers]:
    """A Redis that a module's tests may kill and stop; each has it running again at its end."""
    with start(kept_folder, services=("redis",)) as servers:
        yield servers
