"""A worker's way to Redis, and what becomes of its right to take messages when Redis goes away at
the wrong moment.
"""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.message import Message
from kombu.transport.virtual import Channel

from luna.platform.embedded.supervisor import Servers, start
from luna.platform.queue.app import create_worker
from luna.platform.queue.connection import connect

QUEUE = Queue("letters", Exchange("letters"), routing_key="letters")
UNACKED = "luna:unacked_key:one"


@pytest.fixture
def servers(kept_folder: Path) -> Iterator[Servers]:
    """A Redis that a test may kill."""
    with start(kept_folder, services=("redis",)) as servers:
        yield servers


@pytest.fixture
def app(servers: Servers) -> Iterator[Celery]:
    app = create_worker(servers.redis_url, node="one")
    yield app
    app.close()


def take(connection: Connection, channel: Channel) -> list[Message]:
    """Take what may be taken now, with the credit for one."""
    taken: list[Message] = []
    channel.basic_qos(prefetch_count=1)
    with connection.Consumer(
        [QUEUE],
        channel=channel,
        callbacks=[lambda _body, message: taken.append(message)],
        accept=["json"],
    ):
        for _ in range(3):
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                break
            except connection.connection_errors:
                continue
    return taken


@pytest.mark.parametrize("again", [False, True], ids=["acknowledged", "to come again"])
def test_what_cannot_be_settled_while_redis_is_away_costs_no_credit_and_is_settled_when_it_is_back(
    app: Celery, servers: Servers, again: bool
) -> None:
    with app.connection() as connection, connect(servers.redis_url) as queue:
        channel = connection.channel()
        producer = connection.Producer(channel)
        queue.delete("luna:letters", UNACKED)
        for word in ("first", "second"):
            producer.publish(
                {"word": word}, exchange=QUEUE.exchange, routing_key="letters", declare=[QUEUE]
            )
        [first] = take(connection, channel)
        assert (first.payload, take(connection, channel)) == ({"word": "first"}, [])
        os.kill(int((servers.folder / "redis.lock").read_text()), signal.SIGKILL)
        # Celery goes on whatever comes of this.
        settle = first.reject_log_error if again else first.ack_log_error
        settle(
            logging.getLogger("test"),
            connection.connection_errors,
            **({"requeue": True} if again else {}),
        )
        servers.bring_up(["redis"])
        [second] = take(connection, channel)
        channel.qos.restore_visible()
        assert queue.hlen(UNACKED) == 1
        second.ack()
        assert queue.hlen(UNACKED) == 0
        assert (second.payload, queue.llen("luna:letters")) == ({"word": "second"}, int(again))


def test_a_redis_that_refuses_is_one_that_is_away(app: Celery, servers: Servers) -> None:
    with app.connection() as connection, connect(servers.redis_url) as queue:
        producer = connection.Producer(connection.channel())
        # A full memory is easier to come by than a full disk; to what follows it is the same.
        queue.config_set("maxmemory", 1)
        with pytest.raises(connection.connection_errors, match="maxmemory"):
            producer.publish(
                {"word": "first"}, exchange=QUEUE.exchange, routing_key="letters", declare=[QUEUE]
            )
        queue.config_set("maxmemory", 0)
