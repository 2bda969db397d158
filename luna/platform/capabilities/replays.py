"""Recorded days replayed under several policies."""

from luna.contracts.agent import choose_replay
from luna.contracts.replay import ReplayQuestion, ReplayRequest
from luna.platform.capability import CapabilityCall, SiteName, capability
from luna.platform.database import sites


@capability("POST", "/v1/sites/{site_id}/replays", noun="replays", scope="analyse", local_command="replay", status=202)
def start_replay(call: CapabilityCall, site_id: SiteName, question: ReplayQuestion) -> ReplayRequest:
    """Replay recorded days.

    Replay as a job: forecasts as issued then, prices as published then, the oracle with hindsight. Interrupted, it goes on where it was.

    Forecasts that were not issued then are issued first, from nothing that was known later.
    """
    sites.key_of(call.connection, site_id)
    return choose_replay(ReplayRequest(site_id=site_id, **dict(question)))


REPLAYS = (start_replay,)
