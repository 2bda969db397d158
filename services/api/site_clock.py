"""Local times in requests: instants without an offset are read in the time zone of the stored site
that the request names.
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
    """A route that reads local days and clock times in its body, query and path in the time zone of
    the site named there.
    """

    def make_handler(self) -> Handler:
        """Return the handler, run with the site's time zone set."""
        handle = super().make_handler()

        async def handle_by_clock(request: Request) -> Response:
            # Most requests have no body.
            content_type = request.headers.get("Content-Type")
            body = (
                await request.json()
                if content_type is not None and is_json(content_type) and await request.body()
                else None
            )
            fields: dict[str, Any] = {}
            if isinstance(body, dict):
                # A job's request and a trade-off's plan name the site one level deeper.
                fields = next(
                    (
                        body[name]
                        for name in ("request", "plan")
                        if isinstance(body.get(name), dict)
                    ),
                    {},
                )
                fields = {**fields, **body}
            fields |= {**request.query_params, **request.path_params}
            # No query of the database for requests without local times, which most are.
            zone = (
                await to_thread.run_sync(_find_zone, request, fields)
                if _holds_local(fields)
                else None
            )
            with site_clock(zone):
                return await handle(request)

        return handle_by_clock


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
        named = {
            name: fields[name]
            for name in (*SITE_NAMES, PLAN_NAME)
            if isinstance(fields.get(name), str)
        }
        site = next((named[name] for name in SITE_NAMES if name in named), None)
        if site is not None:
            return parse_zone(sites.load(connection, site).timezone)
        return (
            parse_zone(plans.load(connection, named[PLAN_NAME]).timezone)
            if PLAN_NAME in named
            else None
        )
    return None
