"""The process that Home Assistant knows Luna by: ``python -m services.home_assistant`` publishes the stored sites over MQTT and takes what is switched there.

Without a broker in the settings, or with ``LUNA_MQTT_PUBLISH=off``, it waits, healthy, and publishes nothing.
"""

import argparse
import signal
import sys
import threading
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial

import structlog

from luna.energy.errors import LunaError
from luna.platform.addresses import parse_broker
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.embedded import running
from luna.platform.health import ALIVE, Liveness, Readiness, announce_release, probes_for, serve_health
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import present
from luna.platform.settings import load_settings
from luna.platform.telemetry import configure_logging
from services.home_assistant.broker import BrokerConnection
from services.home_assistant.commands import Commands
from services.home_assistant.publisher import Publisher, Publishing

BEAT = timedelta(seconds=5)
# A plan that nobody began by then would be for another slot.
PLAN_PATIENCE = timedelta(minutes=5)

log = structlog.get_logger("luna.home_assistant")


def main(arguments: list[str] | None = None) -> int:
    """Publish until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="services.home_assistant", description=__doc__)
    parser.add_argument("--health-port", type=int, default=0, help="port that serves /health/live, /health/ready and /metrics; 0: none")
    options = parser.parse_args(arguments)
    settings = load_settings()
    configure_logging("home_assistant", level=settings.log_level)
    announce_release()
    ending = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ending.set())
    with running(settings) as addresses, ExitStack() as stack:
        pulse, probes = Liveness(BEAT, settings.heartbeat_file), probes_for(("database", "redis"), settings, addresses)
        connection = None
        if settings.mqtt_url and settings.mqtt_publish != "off":
            connection = BrokerConnection(parse_broker(settings.mqtt_url, settings.mqtt_password))
            connection.open()
            stack.callback(connection.close)
        readiness = Readiness({ALIVE: pulse.probe, **probes, **({"mqtt": connection.probe} if connection else {})})
        if options.health_port:
            stack.enter_context(serve_health(settings.api_host, options.health_port, pulse=pulse, readiness=readiness))
        readiness.watch()
        stack.enter_context(present(addresses.redis_url, readiness, role="home_assistant"))
        publisher = None
        if connection is None:
            log.info("nothing is published", remedy="Set LUNA_MQTT_URL, and LUNA_MQTT_PUBLISH to sensors or control.")
        else:
            database = engine.create(addresses.database_url, application_name="luna-home-assistant", pool_size=2)
            stack.callback(database.dispose)
            client = stack.enter_context(closing(Client(addresses.redis_url)))
            commands, prefix = settings.mqtt_publish == "control", parse_broker(settings.mqtt_url or "").prefix
            publishing = Publishing(language=settings.message_language, commands=commands, prefix=prefix, plan_max_age=settings.plan_max_age)
            carried_out = Commands(database, partial(client.submit, expires=PLAN_PATIENCE))
            publisher = Publisher(connection, database, carried_out, publishing=publishing, clock=SystemClock())
        while not ending.is_set():
            pulse.beat()
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
    try:
        sys.exit(main())
    except LunaError as error:
        log.error("Home Assistant cannot be told", error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
