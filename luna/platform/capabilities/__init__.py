"""What can be asked of Luna, each declared once: its route, its command and its call over HTTP are made of the declaration.

The modules are found in this package, and their capabilities by the order in which they stand.
"""

from importlib import import_module
from pkgutil import iter_modules

from luna.platform.capability import Capability

# As the documentation shows them; others follow by their names.
_ORDER = (
    "sites", "devices", "device_search", "plans", "alternatives", "answers", "forecasts", "forecast_orders", "series", "prices", "data_changes", "history",
    "quarantine", "control", "manual", "stays", "agent", "scores", "notifications", "documents", "recommendations", "replays", "search", "jobs",
    "edge", "users", "keys", "audit",
)  # fmt: skip

_NAMES = dict.fromkeys((*_ORDER, *(each.name for each in iter_modules(__path__))))
_MODULES = [import_module(f"{__name__}.{name}") for name in _NAMES]
CAPABILITIES: tuple[Capability, ...] = tuple(
    each for module in _MODULES for each in vars(module).values() if isinstance(each, Capability) and each.function.__module__ == module.__name__
)
