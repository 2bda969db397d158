"""When outside services are asked again: as often as beat looks while any of them answers, and soon where none was reached.

Nothing reports that a network is back: an unreached service is tried until it is. That says nothing to a service that is away, and one that answers, be it
that it is too busy or refuses a token, is left alone until beat looks again.
"""

from datetime import timedelta

from luna.contracts.message import Request
from luna.platform.queue import TaskContext
from luna.platform.retry import RetryPolicy

# With the time that a try takes where nothing answers at all, and a plan's after it, within a minute of the network's return. Many machines that lost the same
# line do not come back together.
AGAIN = RetryPolicy(timedelta(seconds=30), growth=1, jitter=1 / 3)


def ask_again(work: TaskContext, request: Request) -> None:
    """Have what beat asks for asked again soon; what somebody named themselves is theirs to repeat."""
    if request == type(request)():
        work.client.submit_later(request, after=AGAIN.pause(1))
