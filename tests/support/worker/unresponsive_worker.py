"""A worker that lives and beats, and takes no messages, as one that lost the right to take them.

Run as ``python -m tests.support.worker.unresponsive_worker ARGUMENT …``.
"""

import sys

from luna.platform.queue import app
from luna.platform.queue.worker import main

if __name__ == "__main__":
    app.QoS.can_consume = lambda _self: False  # type: ignore[method-assign]
    sys.exit(main())
