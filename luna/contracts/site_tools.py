"""Tools over a site's data: typed questions, and results with figures and a chart.

Nothing here changes anything.

A tool is one declaration in ``services.rag.tools``: its name, its arguments' model, its function.
Answers, the Model Context Protocol and recommendations use the same ones.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, ValidationError

from luna.contracts.documents import SiteName
from luna.contracts.message import Message, Request
from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.words.language import Language

Unit = Literal[
    "kwh",
    "kw",
    "price",
    "cost",
    "soc",
    "share",
    "g_per_kwh",
    "hours",
    "instant",
    "count",
    "celsius",
    "name",
]


class Figure(Message):
    """A number for an answer, with its meaning and source.

    ``text`` is how it is written in the answer's language.
    """

    name: Annotated[
        str, Field(description="stable name within the tool's result, such as mean_import_price")
    ]
    value: Annotated[
        float | str, Field(description="as it was read or computed; instants and days in ISO 8601")
    ]
    unit: Annotated[
        Unit, Field(description="of the value; price and cost are in the site's currency")
    ]
    text: Annotated[str, Field(description="how it is written in the answer's language")]


# Quantity of a series, if it has a colour on every chart.
Quantity = Literal[
    "load", "pv", "import", "export", "charge", "discharge", "soc", "price", "sell-price"
]


class ChartSeries(Message):
    """One line or row of bars; null is unknown."""

    name: Annotated[str, Field(description="in the answer's language")]
    unit: Annotated[Unit, Field(description="of the values")]
    kind: Annotated[Literal["line", "step", "bar"], Field(description="how it is drawn")] = "line"
    values: Annotated[list[float | None], Field(description="one for each start; null: not known")]
    quantity: Annotated[
        Quantity | None,
        Field(description="what it is of, by which charts colour it; null: none of these"),
    ] = None


class Chart(Message):
    """The data of a result's drawing: values by slot start, or by label."""

    title: str
    starts: Annotated[
        list[str], Field(description="instants in ISO 8601, or labels where ``by`` is label")
    ]
    by: Literal["instant", "label"] = "instant"
    series: list[ChartSeries]


class ToolSource(Message):
    """The source of figures.

    It names the stored series, plan or replay that was read, and how to ask for the same by hand.
    """

    what: Annotated[str, Field(description="such as: series import_price of site home")]
    period: Annotated[
        str | None,
        Field(description="first instant or day / the one after the last instant, or the last day"),
    ] = None
    path: Annotated[
        str | None, Field(description="the gateway's address that returns the same data")
    ] = None


class ToolResult(Message):
    """The result of a tool: sentences, figures, a chart and sources.

    Sentences come from templates in the asker's language. ``found`` false: there is nothing to
    tell, and why.
    """

    tool: Annotated[str, Field(description="the tool that found it")]
    arguments: Annotated[dict[str, Any], Field(description="as the tool took them")]
    found: Annotated[
        bool, Field(description="false: there is nothing to tell, and the text says why")
    ]
    text: Annotated[
        str,
        Field(
            description=(
                "a few sentences that tell the result; every number in them is one of figures"
            )
        ),
    ]
    figures: Annotated[list[Figure], Field(description="every number and name of the text")] = []
    chart: Annotated[
        Chart | None, Field(description="what draws the result; null: nothing to draw")
    ] = None
    sources: Annotated[list[ToolSource], Field(description="where the figures come from")] = []
    currency: Annotated[
        str | None, Field(description="of the figures that are money, ISO 4217")
    ] = None
    timezone: Annotated[
        str | None, Field(description="of the site, whose local days and clock the text tells")
    ] = None


class ToolDescription(Message):
    """A tool as assistants are told of it."""

    name: Annotated[str, Field(description="by which it is called")]
    description: Annotated[str, Field(description="what it tells, and of when")]
    arguments: Annotated[dict[str, Any], Field(description="JSON schema")]


class ToolList(Message):
    """Every tool there is."""

    tools: Annotated[
        list[ToolDescription],
        Field(description="in the order in which assistants are told of them"),
    ]


class ToolListRequest(Request):
    """List the tools."""

    task: ClassVar[str] = "rag.tools.list"
    reply: ClassVar[type[Message]] = ToolList


class ToolCallRequest(Request):
    """Call one tool.

    Unknown names, unknown arguments and sites the asker does not have are refused.
    """

    task: ClassVar[str] = "rag.tools.call"
    reply: ClassVar[type[Message]] = ToolResult

    tool: Annotated[str, Field(min_length=1, max_length=64)]
    arguments: dict[str, Any] = {}
    site_id: SiteName
    language: Language = "en"
    sites: Annotated[tuple[str, ...] | None, Field(description="the asker's; null: all")] = None


def refuse_arguments(
    fault: ValidationError, model: type[BaseModel], *, field: str
) -> InvalidInputError:
    """Return the error of a tool's wrong arguments; its remedy lists the right ones.

    Args:
        fault: what the validation found.
        model: of the tool's arguments.
        field: the path of the arguments in the caller's input; empty: they are the input.
    """
    error = invalid_input(fault, field=field)
    error.remedy = f"{error.remedy} {_list_arguments(model)}"
    return error


def _list_arguments(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    needed = schema.get("required", [])
    fields = schema.get("properties", {})
    names = [f"{name} (needed)" if name in needed else name for name in fields]
    return f"Its arguments are {', '.join(names)}." if names else "It has no arguments."
