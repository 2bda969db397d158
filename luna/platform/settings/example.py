"""``python -m luna.platform.settings.example``: prints ``.env.example``.

Those are the variables an owner may want to change, each explained.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, TypeAdapter

from luna.platform.settings.model import Deployment, Settings

# Not all settings: addresses and secrets are the compose file's, the others have good defaults.
OFFERED = (
    "api_host",
    "api_port",
    "log_level",
    "worker_processes",
    "plan_timeout",
    "home_assistant_url",
    "mqtt_url",
    "language_model",
    "embedding_model",
    "forecast_retention",
    "reading_retention",
)
HEAD = """# Luna in containers: the variables and their defaults.
# Secrets stand in files of their own, made by: make secrets
# Made from luna/platform/settings: python -m luna.platform.settings.example > .env.example
"""


def render() -> str:
    """Return the file's text."""
    lines = [
        *_lines(Deployment, tuple(Deployment.model_fields), prefix=""),
        *_lines(Settings, OFFERED, prefix="LUNA_"),
    ]
    return HEAD + "".join(lines)


def _lines(model: type[BaseModel], names: tuple[str, ...], *, prefix: str) -> Iterator[str]:
    for name in names:
        field = model.model_fields[name]
        yield f"\n# {field.description}\n{prefix}{name.upper()}={_plain(field.default)}\n"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        # Whole days as days: "a year and 35 days" is nobody's word for 400.
        if not value % timedelta(days=1):
            return f"P{value.days}D"
        return str(TypeAdapter(timedelta).dump_python(value, mode="json"))
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.stdout.write(render())
