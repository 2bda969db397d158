"""Alerts of the installation itself, as Alertmanager sends them.

They are stored, then sent by the owner's channels.

Source: Prometheus, "Alertmanager configuration", webhook_config: version 4 of its message.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.notification import (
    NotifyRequest,
    SystemAlert,
    SystemAlertBatch,
    SystemAlertReply,
)
from luna.energy.errors import UnavailableError
from luna.platform.database import notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.database.notifications import NewNotification
from luna.words import Numbers
from luna.words.messages import say_message
from services.api.gateway import CurrentGateway
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter

router = ResourceRouter("notifications", route_class=CheckedRoute)

# Until then it is tried again; afterwards it stands in the list of messages alone.
ALERT_SENT_FOR = timedelta(days=7)
# Of each part of a message, characters.
LONGEST_PART = 800
FAULT = "system_fault"
RECOVERED = "system_recovered"


@router.operation(
    "Take alerts of the installation",
    Operation("POST", "/v1/alerts", "administer", alone="what Alertmanager sends", monitor=True),
)
def take_alerts(gateway: CurrentGateway, batch: SystemAlertBatch) -> SystemAlertReply:
    """Store alerts, and send them by the channels that want them.

    Once this answers they are kept; one that is sent again is known by its start. An alert that is
    over is told where its beginning was.
    """
    numbers = Numbers(gateway.settings.message_language, ZoneInfo("UTC"), "EUR")
    with unit_of_work(gateway.database) as connection:
        now = gateway.clock.now()
        stored = sum(_store(connection, alert, numbers, now) for alert in batch.alerts)
    if stored:
        # Without the queue they go with the next regular look.
        with suppress(UnavailableError):
            gateway.queue.submit(NotifyRequest())
    return SystemAlertReply(stored=stored)


def _store(connection: Connection, alert: SystemAlert, numbers: Numbers, now: datetime) -> bool:
    """Store an alert as a notification; return whether it is new."""
    key = f"{alert.fingerprint or _fingerprint(alert)}@{alert.starts_at.isoformat()}"
    is_over = alert.status == "resolved"
    if is_over and not notifications.is_known(connection, FAULT, key):
        return False
    code = RECOVERED if is_over else FAULT
    message = say_message(code, _figures(alert), site="", numbers=numbers)
    event = NewNotification(
        event="system",
        code=code,
        event_key=key,
        title=message.title,
        text=message.text,
        urgent=alert.labels.get("severity") == "page",
        expires_at=now + ALERT_SENT_FOR,
    )
    return notifications.add(connection, None, event, targets=[], due_at=now)


def _fingerprint(alert: SystemAlert) -> str:
    labels = "\n".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    return sha256(labels.encode()).hexdigest()[:16]


def _figures(alert: SystemAlert) -> dict[str, str]:
    name = alert.labels.get("alertname", "?")
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or name
    runbook = alert.annotations.get("runbook_url", "")
    parts = {
        "alert": name,
        "service": alert.labels.get("service", ""),
        "summary": summary,
        "runbook": runbook,
    }
    return {part: text[:LONGEST_PART] for part, text in parts.items()}
