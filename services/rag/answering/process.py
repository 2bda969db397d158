"""Opens the parts of answering by the settings of a process: search, models and site tools.

The tools are matched by rules and called in a unit of work of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from luna.contracts.answers import AskRequest, ToolCall
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolDescription, ToolResult
from luna.energy.refusals import refuse
from luna.platform.clock import Clock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.settings import Settings
from luna.words import Language
from services.rag.answering.ports import ProposedCall, SiteTools
from services.rag.answering.service import AnsweringParts
from services.rag.embedding import open_embedder
from services.rag.language import open_language
from services.rag.retrieval.search import Searcher
from services.rag.tools import registry
from services.rag.tools.understanding import (
    match_ahead,
    match_follow_up,
    match_on_sheet,
    match_question,
)

MOST_NAME = 64


@dataclass(frozen=True)
class StoredSiteTools:
    """The tools over one site, for an asker who has ``sites`` (None: all)."""

    database: Engine
    site_id: str
    language: Language
    now: datetime
    sites: tuple[str, ...] | None = None
    client: Client | None = None

    def descriptions(self) -> Sequence[ToolDescription]:
        return registry.list_tools().tools

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        """Return the calls that a question asks for, also as a follow-up of the last call."""
        with unit_of_work(self.database) as connection:
            site = sites.load(connection, self.site_id)
        if before:
            matched = match_follow_up(question, before[-1], site=site, now=self.now)
        else:
            matched = match_question(question, site=site, now=self.now)
        return [ProposedCall(call.tool, call.arguments) for call in matched]

    def match_ahead(self, question: str) -> Sequence[ProposedCall]:
        """Return the call for a price of a time to come."""
        with unit_of_work(self.database) as connection:
            site = sites.load(connection, self.site_id)
        matched = match_ahead(question, site=site, now=self.now)
        return [ProposedCall(call.tool, call.arguments) for call in matched]

    def match_on_sheet(self, question: str) -> Sequence[ProposedCall]:
        """Return the call for a bill on a tariff sheet, without the sheet's prices."""
        with unit_of_work(self.database) as connection:
            site = sites.load(connection, self.site_id)
        matched = match_on_sheet(question, site=site, now=self.now)
        return [ProposedCall(call.tool, call.arguments) for call in matched]

    def call(self, proposed: ProposedCall) -> ToolResult:
        """Return a tool's result.

        Raises:
            LunaError: it is unknown, its arguments are wrong, or what it needs is away.
        """
        if len(proposed.tool) > MOST_NAME:
            raise refuse("no-tool-of-this-name", field="tool")
        request = ToolCallRequest(
            tool=proposed.tool,
            arguments=dict(proposed.arguments),
            site_id=self.site_id,
            language=self.language,
            sites=self.sites,
        )
        with unit_of_work(self.database) as connection:
            return registry.call_tool(connection, request, now=self.now, client=self.client)


def open_parts(
    settings: Settings, database: Engine, searcher: Searcher, *, clock: Clock, client: Client | None
) -> AnsweringParts:
    """Return the parts: passages and tools over the database, the models of the settings."""

    def search(request: SearchRequest) -> SearchReply:
        with unit_of_work(database) as connection:
            return searcher.search(connection, request)

    def tools(request: AskRequest, site_id: str, language: Language) -> SiteTools:
        return StoredSiteTools(database, site_id, language, clock.now(), request.sites, client)

    return AnsweringParts(database, search, tools, open_language(settings), open_embedder(settings))
