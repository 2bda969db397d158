"""The ports of answering: a search, tools and a listener."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from luna.contracts.answers import AnswerSentence, ToolCall
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolDescription, ToolResult

Search = Callable[[SearchRequest], SearchReply]
Stage = Literal["understanding", "tools", "searching", "answering", "checking"]


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A tool call that may answer a question."""

    tool: str
    arguments: Mapping[str, Any]


class SiteTools(Protocol):
    """The read-only tools over one site's data, in one language, for one asker."""

    def descriptions(self) -> Sequence[ToolDescription]:
        """Return the tools' descriptions."""
        ...

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        """Return the calls that match a question by rules; none where it is about something else.

        Args:
            before: the calls that answered the previous question, which a follow-up question refers
                to.
        """
        ...

    def match_ahead(self, question: str) -> Sequence[ProposedCall]:
        """Return the calls for a price of a time to come, which documents may say better."""
        ...

    def match_on_sheet(self, question: str) -> Sequence[ProposedCall]:
        """Return the call for a bill on a tariff sheet, whose prices a document has to give."""
        ...

    def call(self, proposed: ProposedCall) -> ToolResult:
        """Return a tool's result.

        Raises:
            LunaError: the tool is unknown, its arguments are invalid, or a service it needs is
                away.
        """
        ...


class Listener(Protocol):
    """Receives an answer while it is generated, after its text is checked."""

    def stage(self, stage: Stage) -> None:
        """Receive the name of the running stage."""
        ...

    def token(self, text: str) -> None:
        """Receive the next words of the answer."""
        ...

    def sentence(self, sentence: AnswerSentence) -> None:
        """Receive the sentence whose words were sent, with its sources."""
        ...

    def gave_up(self) -> bool:
        """Return whether the asker has left."""
        ...


class Nobody:
    """Listener of a request without a stream: ignores the pieces, waits for the whole answer."""

    def stage(self, stage: Stage) -> None:
        """Ignore the stage."""

    def token(self, text: str) -> None:
        """Ignore the words."""

    def sentence(self, sentence: AnswerSentence) -> None:
        """Ignore the sentence."""

    def gave_up(self) -> bool:
        """Return that the asker still waits."""
        return False
