"""Registry of the data tools: list their descriptions, call one by name."""

from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.site_tools import (
    ToolCallRequest,
    ToolDescription,
    ToolList,
    ToolResult,
    refuse_arguments,
)
from luna.energy.refusals import refuse
from luna.energy.timeline import parse_zone, site_clock
from luna.platform.database import sites
from luna.platform.queue.client import Client
from luna.words import Numbers
from services.rag.tools import (
    battery_since,
    best_time,
    bill_on_tariff,
    charging_sessions,
    energy_query,
    forecast,
    house_now,
    plan,
    plan_reasons,
    price_course,
    price_reasons,
    savings,
    site_description,
    what_would_it_cost,
)
from services.rag.tools.declaration import Tool, ToolContext

PATIENCE = timedelta(seconds=20)
# In the order of the list for assistants.
TOOLS: dict[str, Tool] = {
    module.TOOL.name: module.TOOL
    for module in (
        price_course,
        price_reasons,
        energy_query,
        forecast,
        plan,
        plan_reasons,
        savings,
        what_would_it_cost,
        bill_on_tariff,
        site_description,
        charging_sessions,
        best_time,
        house_now,
        battery_since,
    )
}


def list_tools() -> ToolList:
    """Return every tool with its arguments' schema."""
    tools = []
    for tool in TOOLS.values():
        schema = tool.arguments.model_json_schema()
        # The tool's description replaces the schema's own.
        schema.pop("title", None)
        schema.pop("description", None)
        tools.append(
            ToolDescription(name=tool.name, description=tool.description, arguments=schema)
        )
    return ToolList(tools=tools)


def call_tool(
    connection: Connection,
    request: ToolCallRequest,
    *,
    now: datetime,
    client: Client | None = None,
    patience: timedelta = PATIENCE,
) -> ToolResult:
    """Call a tool and return its result.

    Local days and clock times of its arguments are in the site's time zone.

    Args:
        connection: to the database.
        request: tool, arguments, site and language.
        now: the current instant, for "today".
        client: calls other services; None: tools that need it report it as missing.
        patience: timeout of such a call.

    Raises:
        NotFoundError: no such tool or site; a site of others gives the same error.
        InvalidInputError: invalid arguments.
    """
    tool = find_tool(request.tool)
    if request.sites is not None and request.site_id not in request.sites:
        raise refuse(
            "no-site-of-asker",
            field="site_id",
            value=request.site_id,
            remedy="Name one of your homes.",
        )
    site = sites.load(connection, request.site_id)
    zone = parse_zone(site.timezone)
    try:
        with site_clock(zone):
            arguments = tool.arguments.model_validate(request.arguments)
    except ValidationError as exc:
        raise refuse_arguments(exc, tool.arguments, field="arguments") from exc
    except (OverflowError, RecursionError) as exc:
        raise refuse("tool-arguments-unreadable", field="arguments") from exc
    numbers = Numbers(request.language, zone, site.currency)
    context = ToolContext(connection, site, now, numbers, client, patience)
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
    """Return a tool by name.

    Raises:
        NotFoundError: no such tool.
    """
    if name not in TOOLS:
        raise refuse("no-such-tool", field="tool", value=name, names=tuple(TOOLS))
    return TOOLS[name]
