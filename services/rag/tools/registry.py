"""Every tool there is, and calling one by its name."""

from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.site_tools import ToolCallRequest, ToolDescription, ToolList, ToolResult
from luna.energy.refusals import refuse
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_zone, site_clock
from luna.platform.database import sites
from luna.platform.queue.client import Client
from luna.words import Numbers
from services.rag.tools import (
    battery_since,
    best_time,
    charging_stays,
    compare_periods,
    consumption,
    forecast,
    house_now,
    plan,
    plan_reasons,
    price_course,
    savings,
    site_description,
    what_would_it_cost,
)
from services.rag.tools.declaration import Tool, ToolContext

PATIENCE = timedelta(seconds=20)
# In the order in which assistants are told of them.
TOOLS: dict[str, Tool] = {
    module.TOOL.name: module.TOOL
    for module in (
        price_course,
        consumption,
        forecast,
        plan,
        plan_reasons,
        compare_periods,
        savings,
        what_would_it_cost,
        site_description,
        charging_stays,
        best_time,
        house_now,
        battery_since,
    )
}


def list_tools() -> ToolList:
    """Return every tool with its arguments' schema."""
    tools = []
    for tool in TOOLS.values():
        # What the schema says of the arguments as a whole is told in the tool's description.
        schema = {name: part for name, part in tool.arguments.model_json_schema().items() if name not in ("title", "description")}
        tools.append(ToolDescription(name=tool.name, description=tool.description, arguments=schema))
    return ToolList(tools=tools)


def call_tool(connection: Connection, request: ToolCallRequest, *, now: datetime, client: Client | None = None, patience: timedelta = PATIENCE) -> ToolResult:
    """Return what a tool finds; local days and clock times in its arguments are the site's.

    Args:
        connection: to the database.
        request: tool, arguments, site and language.
        now: the instant from which "today" follows.
        client: asks other services; None: no tool can.
        patience: how long another service is waited for.

    Raises:
        NotFoundError: no such tool, no such site, or one that the asker does not have, in the same words.
        InvalidInputError: arguments that the tool does not take.
    """
    tool = find_tool(request.tool)
    if request.sites is not None and request.site_id not in request.sites:
        raise refuse("no-such-site-of-caller", field="site_id", value=request.site_id)
    site = sites.load(connection, request.site_id)
    zone = parse_zone(site.timezone)
    try:
        with site_clock(zone):
            arguments = tool.arguments.model_validate(request.arguments)
    except ValidationError as exc:
        raise invalid_input(exc, field="arguments") from exc
    except (OverflowError, RecursionError) as exc:
        raise refuse("tool-arguments-unreadable", field="arguments") from exc
    context = ToolContext(connection, site, now, Numbers(request.language, zone, site.currency), client, patience)
    findings = tool.function(context, arguments)
    return ToolResult(
        tool=tool.name,
        arguments=arguments.model_dump(mode="json", exclude_none=True),
        found=findings.found,
        text=findings.text,
        figures=findings.figures,
        chart=findings.chart,
        sources=list(findings.sources),
        currency=site.currency,
        timezone=site.timezone,
    )


def find_tool(name: str) -> Tool:
    """Return the tool of a name.

    Raises:
        NotFoundError: none has it.
    """
    if name not in TOOLS:
        raise refuse("no-such-tool", field="tool", value=name, names=tuple(TOOLS))
    return TOOLS[name]
