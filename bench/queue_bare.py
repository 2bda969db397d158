"""The smallest task that Celery allows, beside Luna's own; run as a module, its worker.

Celery's own command needs a terminal's library that Luna leaves out.
"""

import os

from celery import Celery

bare = Celery(
    "bare",
    broker=os.environ.get("LUNA_REDIS_URL", ""),
    backend=os.environ.get("LUNA_REDIS_URL", ""),
    set_as_current=False,
)
bare.conf.update(
    broker_transport_options={"global_keyprefix": "bare:"},
    result_backend_transport_options={"global_keyprefix": "bare:"},
)


@bare.task(name="bare.number.return")  # type: ignore[untyped-decorator]
def return_bare(value: int) -> int:
    return value


if __name__ == "__main__":
    bare.Worker(concurrency=2, loglevel="ERROR", without_gossip=True, without_mingle=True).start()
