"""Names of a site's entities in Home Assistant, and the option that follows the plan."""

from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.phrases import Phrases

# By key; ``{device}`` is a device's own name.
ENTITIES = Phrases("entities", devices="entity_")


def say_follow_plan(language: Language) -> str:
    """Return the option of a select entity that follows the plan."""
    return ENTITIES.say("follow_plan", language)


def follows_plan(text: str) -> bool:
    """Return whether ``text`` is the option that follows the plan, in any language."""
    return text in map(say_follow_plan, CATALOGUE.languages)
