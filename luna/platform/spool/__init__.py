"""A local file in front of the database: what is kept there is safe at once, and reaches the database when that answers."""

from luna.platform.spool.file import Stream
from luna.platform.spool.kind import RowKind
from luna.platform.spool.spool import SpoolWriter, open_mirror

__all__ = ["RowKind", "SpoolWriter", "Stream", "open_mirror"]
