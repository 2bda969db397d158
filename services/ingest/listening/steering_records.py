"""Fetch the records of steering, which needs no database, and store them."""

from pathlib import Path

import structlog
from sqlalchemy import Engine

from luna.energy.errors import UnavailableError
from luna.house.steering_channel import SteeringAwayError, SteeringClient
from luna.platform.database import steering_records
from luna.platform.database.engine import unit_of_work

log = structlog.get_logger("luna.ingest.live")


class SteeringRecordStore:
    """Stores what steering finished since the last turn.

    Args:
        database: where the records go.
        data_folder: with steering's socket.
    """

    def __init__(self, database: Engine, data_folder: Path) -> None:
        self._database = database
        self._client = SteeringClient(data_folder)
        self._journal = ""
        self._stored = 0

    def turn(self) -> None:
        """Store the records; steering keeps those that the database could not take."""
        while True:
            try:
                fetched = self._client.fetch_records(self._journal, self._stored)
            except SteeringAwayError:
                return
            if fetched is None or not fetched.records:
                return
            try:
                with unit_of_work(self._database) as connection:
                    steering_records.store(connection, fetched.records)
            except UnavailableError as error:
                log.warning("records of steering are not stored yet", error=str(error))
                return
            self._journal = fetched.journal
            self._stored = fetched.stored

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
