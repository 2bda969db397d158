"""What the errors of forecasts cost in the plan: days planned from each version beside the same days planned from perfect foresight."""

from typing import TYPE_CHECKING

from luna.contracts.forecast import EvaluateReply, EvaluateRequest
from luna.contracts.replay import ReplayRequest
from services.cli.replay import ensure_forecasts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from luna.objects import ObjectStore
    from services.planner.replay import Progress


def add_money(connection: "Connection", request: EvaluateRequest, reply: EvaluateReply, *, objects: "ObjectStore", progress: "Progress") -> EvaluateReply:
    """Return the reply with what each version's errors cost a day: the window is planned anew whenever a forecast is issued.

    Raises:
        InvalidInputError: observations or prices of the window are missing.
    """
    from services.planner.service.replay import replay_site

    versions = dict(reply.versions)
    days = (request.to_day - request.from_day).days + 1
    for version, found in reply.versions.items():
        question = ReplayRequest(
            site_id=request.site_id,
            from_day=request.from_day,
            to_day=request.to_day,
            policies=["mpc", "mpc_perfect"],
            every_minutes=request.every_minutes,
            system_id=f"evaluation_forecast_{version}",
            forecast_version=version,
        )
        ensure_forecasts(connection, question, objects=objects, progress=progress)
        policies = replay_site(connection, question, progress=progress).policies
        regret = (policies["mpc"].cost - policies["mpc_perfect"].cost) / days
        versions[version] = found.model_copy(update={"regret_per_day": regret, "regret_days": days})
    return reply.model_copy(update={"versions": versions})
