"""Replay recorded days under several policies."""

from fastapi import Response

from luna.contracts.agent import choose_replay
from luna.contracts.job import Job
from luna.contracts.replay import ReplayQuestion, ReplayRequest
from luna.platform.capabilities.jobs import JobReply
from services.api.gateway import CurrentGateway
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("replays")


@router.operation("Replay recorded days", status_code=202, response_model=JobReply)
def start_replay(site_id: SitePath, question: ReplayQuestion, gateway: CurrentGateway, response: Response) -> Job:
    """Replay as a job: forecasts as issued then, prices as published then, the oracle with hindsight. Interrupted, it goes on where it was.

    Forecasts that were not issued then are issued first, from nothing that was known later.
    """
    return submit_for_site(gateway, site_id, choose_replay(ReplayRequest(site_id=site_id, **dict(question))), response)
