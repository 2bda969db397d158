"""What a refusal is declared with: the English of the API and of the command line, and what pages say in each language."""

from typing import NamedTuple

from luna.energy.errors import InvalidInputError, LunaError


class PageText(NamedTuple):
    """What pages say: what is the matter, and what to do. Figures stand in braces, after a colon how they are said (``luna.words.refusals``)."""

    sentence: str
    remedy: str = ""


class RefusalReason(NamedTuple):
    """Why something is refused.

    Args:
        message: in English, as API and command line say it; None: pydantic words it.
        remedy: what to do, in English.
        de: what German pages say.
        en: what English pages say; None: message and remedy.
        error: the class that is raised.
        quotes: the error itself stands beside it on a page, for it says more than can be declared.
    """

    message: str | None
    remedy: str | None
    de: PageText
    en: PageText | None = None
    error: type[LunaError] = InvalidInputError
    quotes: bool = False

    @property
    def english(self) -> PageText:
        """What English pages say."""
        message = self.message or ""
        return self.en or PageText(f"{message[:1].upper()}{message[1:]}.", self.remedy or "")
