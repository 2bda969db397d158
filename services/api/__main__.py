"""``python -m services.api``: the gateway alone.

Its servers are those of the settings or embedded ones.
"""

import sys

import structlog

from luna.energy.errors import LunaError
from luna.platform.health.health_server import announce_release
from luna.platform.settings import load_settings
from luna.platform.telemetry import configure_logging
from services.api.server import serve

if __name__ == "__main__":
    try:
        configure_logging("api", level=load_settings().log_level)
        announce_release()
        serve(load_settings())
    except LunaError as error:
        structlog.get_logger("luna.api").error("gateway cannot start", error=str(error))
        sys.exit(error.exit_code)
