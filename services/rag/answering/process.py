"""What answers are made of, by the settings of a process."""

from sqlalchemy import Engine

from luna.contracts.answers import AskRequest
from luna.contracts.plan import Language
from luna.contracts.search import SearchReply, SearchRequest
from luna.platform.clock import Clock
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.settings import Settings
from services.rag.answering.ports import SiteTools
from services.rag.answering.service import AnsweringParts
from services.rag.answering.stored_tools import StoredSiteTools
from services.rag.embedding import open_embedder
from services.rag.language import open_language
from services.rag.retrieval.search import Searcher


def open_parts(settings: Settings, database: Engine, searcher: Searcher, *, clock: Clock, client: Client | None) -> AnsweringParts:
    """Return the parts: passages and tools over the database, the models of the settings."""

    def search(request: SearchRequest) -> SearchReply:
        with unit_of_work(database) as connection:
            return searcher.search(connection, request)

    def tools(request: AskRequest, site_id: str, language: Language) -> SiteTools:
        return StoredSiteTools(database, site_id, language, clock.now(), request.sites, client)

    return AnsweringParts(database, search, tools, open_language(settings), open_embedder(settings))
