"""The notifier's tasks: decode, call, encode."""

from luna.contracts.notification import (
    NotifyReply,
    NotifyRequest,
    NotifyTestReply,
    NotifyTestRequest,
)
from luna.platform.queue import TaskContext, task
from services.notifier import notification
from services.notifier.notification import list_targets

NEEDS = ("database", "redis")


@task(NotifyRequest)
def send_messages(_request: NotifyRequest, work: TaskContext) -> NotifyReply:
    """Store messages to owners and send those due, each in its own transaction."""
    return notification.notify(
        work.database(),
        list_targets(work.database(), work.settings),
        work.settings,
        now=work.clock.now(),
    )


@task(NotifyTestRequest)
def send_test(_request: NotifyTestRequest, work: TaskContext) -> NotifyTestReply:
    """Send a test message to every target."""
    return notification.send_test(list_targets(work.database(), work.settings), work.settings)
