"""All configuration, read once.

What an owner may set by hand stands in ``.env.example``, made from here.
"""

from luna.platform.settings.model import Settings, load_settings

__all__ = ["Settings", "load_settings"]
