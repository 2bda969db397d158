"""``python -m tests.deaf_worker ARGUMENT …``: a worker that lives and beats, and takes no messages: what a lost right to take them would make of it."""

import sys

from luna.platform.queue import app
from luna.platform.queue.worker import main

if __name__ == "__main__":
    app.QoS.can_consume = lambda _self: False  # type: ignore[method-assign]
    sys.exit(main())
