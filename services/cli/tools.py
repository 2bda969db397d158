"""``luna tools``: what assistants are told of a site, asked by hand."""

import json
from typing import Annotated

import typer

from luna.contracts.site_tools import ToolCallRequest
from luna.energy.errors import InvalidInputError
from luna.house.desk.servers import unit_of_work
from luna.platform.clock import SystemClock
from luna.words import Language
from services.cli.console import JsonOption, table, write_json
from services.cli.declared import show_parts
from services.cli.options import compose_request

app = typer.Typer(help="List the tools for a site's data, and call one.", no_args_is_help=True)


@app.command("list")
def list_tools(*, as_json: JsonOption = False) -> None:
    """List the tools with their descriptions."""
    from services.rag.tools import registry

    tools = registry.list_tools()
    if as_json:
        write_json(tools.model_dump(mode="json"))
        return
    rows = [[tool.name, tool.description] for tool in tools.tools]
    table(("tool", "what it tells"), rows, words=("what it tells",))


@app.command("call")
def call_tool(
    name: Annotated[str, typer.Argument(help="The tool's name.")],
    *,
    site: Annotated[str, typer.Option(help="The site's name.")],
    arguments: Annotated[str, typer.Option(help="The tool's arguments as JSON.")] = "{}",
    language: Annotated[Language, typer.Option(help="Language of the text.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Call a tool and show its result."""
    from services.rag.tools import registry

    try:
        fields = json.loads(arguments)
    except (ValueError, RecursionError) as exc:
        remedy = 'Write it like {"first_day": "2024-03-12"}.'
        raise InvalidInputError(
            "no JSON", field="--arguments", value=arguments[:100], remedy=remedy
        ) from exc
    request = compose_request(
        ToolCallRequest, tool=name, arguments=fields, site_id=site, language=language
    )
    with unit_of_work() as connection:
        result = registry.call_tool(connection, request, now=SystemClock().now())
    if as_json:
        write_json(result.model_dump(mode="json"))
        return
    sources = [f"  {source.path or source.what}" for source in result.sources]
    show_parts([result.text, *sources])
