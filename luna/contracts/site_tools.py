"""Tools over a site's data: typed questions that read, results with figures and a chart. Nothing here changes anything.

A tool is one declaration in ``services.rag.tools``: its name, its arguments' model, its function. Answers, the Model Context Protocol and recommendations
use the same ones.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.documents import SiteName
from luna.contracts.message import Message, Request
from luna.contracts.plan import Language

Unit = Literal["kwh", "kw", "price", "cost", "soc", "share", "g_per_kwh", "hours", "instant", "count", "celsius", "name"]


class Figure(Message):
    """A number an answer may tell, with what it is and where it comes from. ``text`` is how it is written in the answer's language."""

    name: Annotated[str, Field(description="stable name within the tool's result, such as mean_import_price")]
    value: float | str
    unit: Unit
    text: str


class ChartSeries(Message):
    """One line or row of bars; null is unknown."""

    name: str
    unit: Unit
    kind: Literal["line", "step", "bar"] = "line"
    values: list[float | None]


class Chart(Message):
    """What draws a tool's result: values by slot start, or by label."""

    title: str
    starts: Annotated[list[str], Field(description="instants in ISO 8601, or labels where ``by`` is label")]
    by: Literal["instant", "label"] = "instant"
    series: list[ChartSeries]


class ToolSource(Message):
    """Where figures come from: the stored series, plan or replay that was read, and how to ask for the same by hand."""

    what: Annotated[str, Field(description="such as: series import_price of site home")]
    period: str | None = None
    path: Annotated[str | None, Field(description="the gateway's address that returns the same data")] = None


class ToolResult(Message):
    """What a tool found: sentences from templates in the asker's language, figures, a chart, sources. ``found`` false: there is nothing to tell, and why."""

    tool: str
    arguments: dict[str, Any]
    found: bool
    text: Annotated[str, Field(description="a few sentences that tell the result; every number in them is one of figures")]
    figures: list[Figure] = []
    chart: Chart | None = None
    sources: list[ToolSource] = []
    currency: Annotated[str | None, Field(description="of the figures that are money, ISO 4217")] = None
    timezone: Annotated[str | None, Field(description="of the site, whose local days and clock the text tells")] = None


class ToolDescription(Message):
    """A tool as assistants are told of it."""

    name: str
    description: str
    arguments: Annotated[dict[str, Any], Field(description="JSON schema")]


class ToolList(Message):
    """Every tool there is."""

    tools: list[ToolDescription]


class ToolListRequest(Request):
    """List the tools."""

    task: ClassVar[str] = "rag.tools.list"
    reply: ClassVar[type[Message]] = ToolList


class ToolCallRequest(Request):
    """Call one tool. Unknown names, unknown arguments and sites the asker does not have are refused."""

    task: ClassVar[str] = "rag.tools.call"
    reply: ClassVar[type[Message]] = ToolResult

    tool: Annotated[str, Field(min_length=1, max_length=64)]
    arguments: dict[str, Any] = {}
    site_id: SiteName
    language: Language = "en"
    sites: Annotated[tuple[str, ...] | None, Field(description="the asker's; null: all")] = None
