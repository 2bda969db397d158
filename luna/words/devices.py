"""Names of devices and kinds of devices."""

from collections.abc import Iterable

from luna.words.language import Language, language_forms
from luna.words.numbers import join_words
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


def list_devices(names: Iterable[str], language: Language, *, first: bool = False) -> str:
    """Return devices as a list of a sentence: "car and water heater".

    Args:
        names: of devices.
        language: of the reader.
        first: whether the sentence begins with them.
    """
    small = language_forms(language).texts["nouns"] == "small"
    words: list[str] = []
    for name in names:
        word = say_device(name, language=language)
        # The owner's own names stay.
        is_default = name.rpartition(":")[2] in DEVICES
        if small and is_default and (words or not first):
            word = word[0].lower() + word[1:]
        words.append(word)
    return join_words(words, language)
