"""Checks of Luna's parts in the reader's language: name, fault and what to do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from luna.words.language import Language
from luna.words.phrases import Phrases

NAMES = Phrases("checks", "name_")
SERVICES = Phrases("checks", "service_")
FAULTS = Phrases("checks", "fault_")
REMEDIES = Phrases("checks", "remedy_")
# Errors without a reason: check and code of the error's class.
_OF_ERRORS = {("objects", "full"): "objects-full", ("objects", "machine"): "objects-machine"}


class CheckText(NamedTuple):
    """A failed check for people."""

    fault: str
    remedy: str


def name_check(name: str, language: Language) -> str:
    """Return what a check looks at; the name itself where it has no words."""
    return NAMES.say(name, language) if name in NAMES else name


def name_service(name: str, language: Language) -> str:
    """Return what a service is there for; the name itself where it has no words."""
    return SERVICES.say(name, language) if name in SERVICES else name


def format_fault(name: str, code: str, figures: Mapping[str, Any], language: Language) -> CheckText:
    """Return a failed check: the most special sentence that fits.

    Args:
        name: of the check.
        code: of its fault; a newer release may send an unknown one.
        figures: of the fault.
        language: of the reader.
    """
    for key in (_OF_ERRORS.get((name, code), code), name):
        if key in FAULTS:
            try:
                fault = FAULTS.fill(key, language, figures)
            except KeyError:
                # Of another release, with other figures.
                continue
            return CheckText(fault, REMEDIES.say(key, language))
    return CheckText(FAULTS.say("other", language), REMEDIES.say("other", language))
