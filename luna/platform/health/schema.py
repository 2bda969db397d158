"""``python -m luna.platform.health.schema``: waits for the tables of this version.

In a cluster, the processes that use the database start after it.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from luna.energy.errors import UnavailableError
from luna.platform.database import engine
from luna.platform.embedded.supervisor import running
from luna.platform.health.probes import Probe, probe_database
from luna.platform.settings import load_settings
from luna.platform.telemetry import configure_logging

LOOK = timedelta(seconds=2)

log = structlog.get_logger("luna.health")


def wait_for_schema(probe: Probe, *, pause: Callable[[float], None] = time.sleep) -> str:
    """Return the probe's answer once it raises no more.

    Each new reason to wait is logged once.

    There is no deadline: the starter sees the waiting, and can end it.
    """
    reason = ""
    while True:
        try:
            return probe()
        except UnavailableError as exc:
            if str(exc) != reason:
                reason = str(exc)
                log.info("waits for the schema", reason=reason)
        pause(LOOK.total_seconds())


def main() -> None:
    """Wait for the database of the settings."""
    settings = load_settings()
    configure_logging("schema", level=settings.log_level)
    with running(settings) as addresses:
        database = engine.create(
            addresses.database_url, application_name="luna-schema", pool_size=1
        )
        log.info("the schema is there", found=wait_for_schema(partial(probe_database, database)))


if __name__ == "__main__":
    main()
