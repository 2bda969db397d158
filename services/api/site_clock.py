"""Local times in requests.

Instants without an offset are read in the time zone of the stored site that the request names.
"""

import re
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from anyio import to_thread
from fastapi import Request, Response

from luna.energy.errors import LunaError
from luna.energy.timeline import parse_zone, site_clock
from luna.platform.database import plans, sites
from luna.platform.database.engine import unit_of_work
from services.api.json_body import CheckedRoute, Handler, is_json

SITE_NAMES = ("site_id", "site")
PLAN_NAME = "plan_id"
LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?)?")


class SiteClockRoute(CheckedRoute):
    """A route that reads local times in the time zone of the site that the request names.

    Local days and clock times may be in its body, query or path.
    """

    def make_handler(self) -> Handler:
        """Return the handler, run with the site's time zone set."""
        handle = super().make_handler()

        async def handle_by_clock(request: Request) -> Response:
            fields = await _read_body_fields(request)
            fields |= {**request.query_params, **request.path_params}
            zone = None
            # No query of the database for requests without local times, which most are.
            if _holds_local(fields):
                zone = await to_thread.run_sync(_find_zone, request, fields)
            with site_clock(zone):
                return await handle(request)

        return handle_by_clock


async def _read_body_fields(request: Request) -> dict[str, Any]:
    """Return the fields of a JSON body, also those of a plan or job request in it."""
    content_type = request.headers.get("Content-Type")
    # Most requests have no body.
    if content_type is None or not is_json(content_type) or not await request.body():
        return {}
    body = await request.json()
    if not isinstance(body, dict):
        return {}
    # A job's request and a trade-off's plan name the site one level deeper.
    for name in ("request", "plan"):
        if isinstance(body.get(name), dict):
            return {**body[name], **body}
    return dict(body)


def _holds_local(fields: dict[str, Any]) -> bool:
    waiting: list[Any] = [fields]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part
        elif isinstance(part, str) and LOCAL.fullmatch(part):
            return True
    return False


def _find_zone(request: Request, fields: dict[str, Any]) -> ZoneInfo | None:
    # The route itself reports a missing site or plan, or a database that is away.
    with suppress(LunaError), unit_of_work(request.app.state.gateway.database) as connection:
        for name in SITE_NAMES:
            if isinstance(fields.get(name), str):
                return parse_zone(sites.load(connection, fields[name]).timezone)
        plan_id = fields.get(PLAN_NAME)
        if isinstance(plan_id, str):
            return parse_zone(plans.load(connection, plan_id).timezone)
    return None
