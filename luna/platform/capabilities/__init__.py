"""What can be asked of Luna, each declared once: its route, its command and its call over HTTP are
made of the declaration.

The modules are found in this package, and their capabilities by the order in which they stand. They
are imported when ``CAPABILITIES`` is first read: a command that names its module loads no other.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING

from luna.platform.capability import Capability

if TYPE_CHECKING:
    CAPABILITIES: tuple[Capability, ...]

# As the documentation shows them; others follow by their names.
_ORDER = (
    "sites",
    "devices",
    "device_search",
    "plans",
    "alternatives",
    "answers",
    "forecasts",
    "forecast_orders",
    "series",
    "prices",
    "data_changes",
    "history",
    "quarantine",
    "control",
    "manual",
    "stays",
    "agent",
    "scores",
    "notifications",
    "documents",
    "recommendations",
    "replays",
    "search",
    "jobs",
    "edge",
    "users",
    "keys",
    "audit",
)


def list_declared(module: ModuleType) -> tuple[Capability, ...]:
    """Return the capabilities that a module declares, in their order."""
    return tuple(
        each
        for each in vars(module).values()
        if isinstance(each, Capability) and each.function.__module__ == module.__name__
    )


@cache
def _list_all() -> tuple[Capability, ...]:
    names = dict.fromkeys((*_ORDER, *(each.name for each in iter_modules(__path__))))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return tuple(each for module in modules for each in list_declared(module))


def __getattr__(name: str) -> tuple[Capability, ...]:
    if name == "CAPABILITIES":
        return _list_all()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
