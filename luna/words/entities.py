"""What Home Assistant shows of a site: the name of each entity, and what stands where nothing overrides the plan."""

from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.phrases import Phrases

# By key; ``{device}`` is a device's own name.
ENTITIES = Phrases("entities", devices="entity_")


def say_follow_plan(language: Language) -> str:
    """Return what a select says while the plan is followed."""
    return ENTITIES.say("follow_plan", language)


def follows_plan(text: str) -> bool:
    """Return whether that is what a select says, in any language."""
    return text in map(say_follow_plan, CATALOGUE.languages)
