"""The ingest service's tasks: decode, call, encode."""

from datetime import timedelta

from luna.contracts import DemoLoadReply, DemoLoadRequest
from luna.queue import Work, task
from services.ingest.demo_data import load_and_store

NEEDS = ("database", "redis", "objects")


@task(DemoLoadRequest, soft_limit=timedelta(hours=1))
def load_demo(_request: DemoLoadRequest, work: Work) -> DemoLoadReply:
    """Load the demo's year, for which a slow line may take long, and store it."""
    return load_and_store(lambda: work.connection, work.settings.cache, progress=work.progress)
