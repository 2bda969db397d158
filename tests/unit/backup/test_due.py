"""What the process that keeps backups does next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from luna.platform.settings import Settings
from services.backup.keeper import next_step
from tests.tables import each_row

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EMBEDDED = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic reads it
CONTAINERS = EMBEDDED.model_copy(update={"database_url": SecretStr("postgresql://db/luna")})


def ago(**how_long: float) -> str:
    return (NOW - timedelta(**how_long)).isoformat()


@each_row(
    ("status", "settings", "step"),
    [
        pytest.param({}, EMBEDDED, "backup", id="there is none"),
        pytest.param({"newest_at": ago(hours=25), "drill_passed_at": ago(days=1)}, EMBEDDED, "backup", id="a day old"),
        pytest.param({"newest_at": ago(hours=1), "drill_passed_at": ago(days=1)}, EMBEDDED, None, id="all well"),
        pytest.param({"newest_at": ago(hours=1), "drill_passed_at": ago(days=1), "gap": True}, EMBEDDED, "backup", id="the log has a gap"),
        pytest.param({"newest_at": ago(hours=1)}, EMBEDDED, "drill", id="never tried"),
        pytest.param({"newest_at": ago(hours=1), "drill_passed_at": ago(days=8)}, EMBEDDED, "drill", id="tried long ago"),
        pytest.param({"newest_at": ago(hours=1)}, CONTAINERS, None, id="in containers the machine's clock asks for drills"),
        pytest.param({}, EMBEDDED.model_copy(update={"backup_every": None}), None, id="nobody wants any"),
    ],
)
def test_what_is_due(status: dict[str, Any], settings: Settings, step: str | None) -> None:
    assert next_step(status, settings, NOW) == step
