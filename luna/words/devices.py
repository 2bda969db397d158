"""What devices are called."""

from luna.words.language import Language
from luna.words.phrases import Phrases

# What devices are called where their owner gave them no name of their own: all of a kind, and what a site's file calls one that it leaves unnamed.
DEVICES = Phrases((), devices="name_")
# What a kind is called where devices are listed, by its name; none: its devices are not.
KINDS = Phrases((), devices="kind_")
# What stands before a device's name in ``compromises``, by its kind; none: none names one.
PREFIXES = Phrases((), devices="prefix_")
# Of fields of the gateway's messages, and what a default that costs money means for the bill, by kind and field: documentation, in English.
FIELDS = Phrases((), devices="field_")
DEFAULTS = Phrases((), devices="default_")


def say_device(name: str, *, language: Language) -> str:
    """Return what a device is called: its owner's own name for it as it was written, of "load:NAME" and the like that name alone."""
    own = name.rpartition(":")[2]
    return DEVICES.say(own, language) if own in DEVICES else own
