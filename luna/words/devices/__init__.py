"""What is said of devices, a module per kind, each of them named as its kind is; and what devices are called."""

from collections.abc import Iterable
from importlib import import_module
from typing import TypeVar

from luna.energy.devices import DEVICE_KINDS
from luna.words.devices.kind import DeviceWords
from luna.words.language import Language

ValueT = TypeVar("ValueT")


def merge(parts: Iterable[dict[str, ValueT]]) -> dict[str, ValueT]:
    """Return the words of several kinds as one table."""
    return {name: words for part in parts for name, words in part.items()}


# By the name of the kind.
DEVICE_WORDS: dict[str, DeviceWords] = {kind.name: import_module(f"luna.words.devices.{kind.name}").WORDS for kind in DEVICE_KINDS}
# What devices are called where their owner gave them no name of their own.
DEVICES = merge(words.names for words in DEVICE_WORDS.values())


def say_device(name: str, *, language: Language) -> str:
    """Return what a device is called: its owner's own name for it as it was written, of "load:NAME" and the like that name alone."""
    own = name.rpartition(":")[2]
    return DEVICES[own][language] if own in DEVICES else own
