"""``python -m services.home_assistant``: Luna as a device of Home Assistant.

It publishes the stored sites over MQTT and takes what is switched there.

Without a broker in the settings, or with ``LUNA_MQTT_PUBLISH=off``, it waits, healthy, and
publishes nothing.
"""

import threading
from contextlib import closing
from datetime import timedelta
from functools import partial

import structlog

from luna.energy.errors import LunaError
from luna.platform.addresses import parse_broker
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import present
from luna.platform.service_process import (
    add_stall_option,
    end_on_signals,
    exit_from,
    health_parser,
    service_process,
)
from services.home_assistant.broker import BrokerConnection
from services.home_assistant.commands import Commands
from services.home_assistant.publisher import Publisher, Publishing

BEAT = timedelta(seconds=5)
# A plan not begun by then would be for another slot.
PLAN_PATIENCE = timedelta(minutes=5)

log = structlog.get_logger("luna.home_assistant")


def main(arguments: list[str] | None = None) -> int:
    """Publish until SIGTERM or SIGINT."""
    parser = health_parser("services.home_assistant", __doc__)
    add_stall_option(parser)
    options = parser.parse_args(arguments)
    ending = end_on_signals()
    with service_process(
        "home_assistant",
        beat=BEAT,
        health_port=options.health_port,
        stall_seconds=options.stall_seconds,
    ) as process:
        settings = process.settings
        addresses = process.addresses
        stack = process.resources
        connection = None
        if settings.mqtt_url and settings.mqtt_publish != "off":
            connection = BrokerConnection(parse_broker(settings.mqtt_url, settings.mqtt_password))
            connection.open()
            stack.callback(connection.close)
        readiness = process.serve_health(
            ("database", "redis"), {"mqtt": connection.probe} if connection else {}
        )
        readiness.watch()
        stack.enter_context(present(addresses.redis_url, readiness, role="home_assistant"))
        publisher = None
        if connection is None:
            log.info(
                "nothing is published",
                remedy="Set LUNA_MQTT_URL, and LUNA_MQTT_PUBLISH to sensors or control.",
            )
        else:
            database = engine.create(
                addresses.database_url, application_name="luna-home-assistant", pool_size=2
            )
            stack.callback(database.dispose)
            client = stack.enter_context(closing(Client(addresses.redis_url)))
            commands = settings.mqtt_publish == "control"
            prefix = parse_broker(settings.mqtt_url or "").prefix
            publishing = Publishing(
                language=settings.message_language,
                commands=commands,
                prefix=prefix,
                plan_max_age=settings.plan_max_age,
            )
            carried_out = Commands(
                database, partial(client.submit, expires=PLAN_PATIENCE), settings.data_folder
            )
            publisher = Publisher(
                connection,
                database,
                carried_out,
                client.live.read_steering,
                publishing=publishing,
                clock=SystemClock(),
            )
        while not ending.is_set():
            process.pulse.beat()
            _turn(publisher, ending)
    return 0


def _turn(publisher: Publisher | None, ending: threading.Event) -> None:
    if publisher is None:
        ending.wait(BEAT.total_seconds() / 2)
        return
    try:
        publisher.turn()
    except LunaError as error:
        log.warning("the turn failed", error=str(error))
    except Exception:  # the edge of a turn: the next one goes on
        log.exception("the turn failed")
        ending.wait(BEAT.total_seconds() / 2)


if __name__ == "__main__":
    exit_from(main, log, "Home Assistant cannot be told")
