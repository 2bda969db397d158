"""``luna plans changes``: why a stored plan differs from the one before it."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.plan_changes import PlanChangesReply, PlanChangesRequest
from luna.wording import Language, Numbers
from services.cli.console import JsonOption, emit, out, table
from services.cli.requests import compose_request

HEADINGS = ("from", "device", "before", "now", "because of")


def show_changes(
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    before: Annotated[str | None, typer.Option(help="The plan to compare with (default: the one issued before it for the same slots).")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the sentences.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which input made a plan other than the one before: prices, forecasts, charge, cars, appliances, site, options."""
    from services.cli.storage import unit_of_work
    from services.planner.comparing.jobs import compare_stored
    from services.planner.solver import Solver

    request = compose_request(PlanChangesRequest, plan_id=plan, before_id=before, language=language)
    with unit_of_work() as connection:
        reply = compare_stored(connection, request, solver=Solver())
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply, Numbers(language or "en", ZoneInfo(reply.timezone), reply.currency)))


def _show(reply: PlanChangesReply, numbers: Numbers) -> None:
    for cause in reply.causes:
        out.print(cause.text)
    rows = [(f"{numbers.weekday(each.start)} {numbers.clock(each.start)}", each.device, each.before, each.after, each.cause) for each in reply.changes]
    table(HEADINGS, rows, words=HEADINGS[1:], none="Every mode is as before.")
