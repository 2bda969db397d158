"""Counter of a device's writes in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from luna.platform.clock import Clock
from luna.platform.database import device_writes
from luna.platform.database.engine import unit_of_work


@dataclass(frozen=True, slots=True)
class StoredWrites:
    """The writes of one device, a ``luna.platform.drivers.budget.WriteCounter``. ``device`` says where it is reached."""

    engine: Engine
    clock: Clock
    device: str

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count a write of each point, or none; see ``luna.platform.database.device_writes.spend``.

        Raises:
            UnavailableError: the database is away.
        """
        with unit_of_work(self.engine) as connection:
            return device_writes.spend(connection, self.device, most, now=self.clock.now())
