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
    """A tool that may answer a question."""

    tool: str
    arguments: Mapping[str, Any]


class SiteTools(Protocol):
    """The read-only tools over one site's data, in one language, for one asker."""

    def descriptions(self) -> Sequence[ToolDescription]:
        """Return what there is."""
        ...

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        """Return the calls that a question asks for by its words; none where it is about something else.

        Args:
            before: what the question before was answered with, which this one may go on from.
        """
        ...

    def call(self, proposed: ProposedCall) -> ToolResult:
        """Return what a tool finds.

        Raises:
            LunaError: it is unknown, its arguments are wrong, or what it needs is away.
        """
        ...


class Listener(Protocol):
    """Receives an answer while it is made, checked text alone."""

    def stage(self, stage: Stage) -> None:
        """Receive the name of the running stage."""
        ...

    def token(self, text: str) -> None:
        """Hear the next words of the answer."""
        ...

    def sentence(self, sentence: AnswerSentence) -> None:
        """Receive the sentence whose words were sent, with its sources."""
        ...

    def gave_up(self) -> bool:
        """Return whether nobody listens any more."""
        ...


class Nobody:
    """A listener where nobody listens and somebody waits all the same."""

    def stage(self, stage: Stage) -> None:
        """Hear nothing."""

    def token(self, text: str) -> None:
        """Hear nothing."""

    def sentence(self, sentence: AnswerSentence) -> None:
        """Hear nothing."""

    def gave_up(self) -> bool:
        """Return that the answer is waited for."""
        return False
