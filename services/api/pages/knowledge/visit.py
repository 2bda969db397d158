"""A request for a page of Knowledge: its reader and site."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from luna.contracts.answers import Answer, StoredAnswer
from luna.contracts.message import Request as Message
from luna.energy.refusals import refuse
from luna.platform.database import answers
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES

PAGE = PAGES["knowledge"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page of one site."""

    site_id: str
    request: Request
    gateway: Gateway
    caller: Caller

    @property
    def base(self) -> str:
        """The address of the page Knowledge of the site."""
        return PAGE.address(self.site_id)

    @property
    def wants_part(self) -> bool:
        """Whether a script asks for a part of the page."""
        return "HX-Request" in self.request.headers

    def is_served(self, request: type[Message]) -> bool:
        """Return whether a service answers such requests now."""
        return self.gateway.queue.is_served(request, interactive=True)

    def load_own_answer(self, connection: Connection, answer_id: str) -> StoredAnswer:
        """Return an answer that the reader was given on the site.

        Raises:
            NotFoundError: there is none of that id, it is somebody else's or another site's.
        """
        stored = answers.load(connection, answer_id, asked_by=self.caller.name)
        if stored.site_id not in {None, self.site_id}:
            raise refuse(
                "not-found",
                field="answer_id",
                value=answer_id,
                thing="answer",
                source="the page Documents",
            )
        return stored

    def address_of(self, answer: Answer) -> str:
        """Return the address of an answer in its conversation."""
        return f"{self.base}?conversation={answer.conversation_id}#answer-{answer.answer_id}"


async def _visit(
    site_id: SitePath, request: Request, gateway: CurrentGateway, caller: CurrentCaller
) -> Visit:
    return Visit(site_id, request, gateway, caller)


CurrentVisit = Annotated[Visit, Depends(_visit)]
