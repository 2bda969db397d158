"""Names of devices and kinds of devices."""

from luna.words.language import Language
from luna.words.phrases import Phrases

# Names of devices without a name by their owner: all of a kind, and the default names of a site's
# file.
DEVICES = Phrases((), devices="name_")
# Name of a kind in lists of devices; a kind without one is not listed.
KINDS = Phrases((), devices="kind_")
# Prefix of a device's name in ``compromises``, by kind; a kind without one never occurs there.
PREFIXES = Phrases((), devices="prefix_")
# Documentation in English, by kind and field: fields of the gateway's messages, and the effect of
# costly defaults on the bill.
FIELDS = Phrases((), devices="field_")
DEFAULTS = Phrases((), devices="default_")


def say_device(name: str, *, language: Language) -> str:
    """Return a device's name: the owner's own unchanged, or the localised default.

    The prefix of a key such as "load:NAME" is left out.
    """
    _, _, own = name.rpartition(":")
    return DEVICES.say(own, language) if own in DEVICES else own
