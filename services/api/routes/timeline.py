"""Read past and coming slots of a site on one axis, as the plan chart draws them."""

import gzip
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from fastapi import Query, Request, Response
from pydantic_core import to_json

from luna.energy.timeline import Instant
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.words import Language
from services.api.entity_tags import accepted_encodings
from services.api.gateway import CurrentGateway
from services.api.operation import Operation
from services.api.routing import ResourceRouter, SitePath
from services.api.timeline.build import build_timeline
from services.api.timeline.document import Timelines
from services.api.timeline.window import open_window

router = ResourceRouter("plans")

# Decimals sent: a watt, a hundredth of a per cent, a hundredth of a cent; charts show no more.
DECIMALS = 4
LEVEL = 5


@router.operation(
    "Read past and coming slots on one axis",
    Operation(
        "GET",
        "/v1/sites/{site_id}/timeline",
        "read",
        alone="what the plan chart draws; commands show plans and series one by one",
    ),
    response_model=Timelines,
)
def read_timeline(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    first: Annotated[Instant | None, Query(alias="from", description="usual: a day ago")] = None,
    end: Annotated[
        Instant | None,
        Query(
            alias="to",
            description="the instant after the last; usual: in two days; at most 8 days after from",
        ),
    ] = None,
    language: Annotated[Language, Query(description="of the sentences")] = "en",
) -> Response:
    """Return prices, measurements, plan, reasons and comparisons, by quarter-hour in columns."""
    now: datetime = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        window = open_window(
            sites.load(connection, site_id), now=now, language=language, first=first, end=end
        )
        document = build_timeline(connection, window, gateway.plan_memory)
    body = to_json(_shorten(document), inf_nan_mode="null")
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "private, no-cache"}
    if "gzip" in accepted_encodings(request):
        body = gzip.compress(body, LEVEL)
        headers = headers | {"Content-Encoding": "gzip"}
    return Response(body, headers=headers, media_type="application/json")


def _shorten(value: Any) -> Any:
    """Convert the arrays of a document to lists of rounded numbers."""
    if isinstance(value, np.ndarray):
        return np.round(value, DECIMALS).tolist()
    if isinstance(value, dict):
        return {name: _shorten(part) for name, part in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_shorten(part) for part in value]
    return value
