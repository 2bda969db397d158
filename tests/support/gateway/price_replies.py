"""What tests of price sources share: their way to a service, and their prices as rows."""

from services.ingest.sources.source import PriceSheet
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import Service


def web(service: Service) -> Web:
    """Return a client of a service that does not wait."""
    return Web("service", service, sleep=service.wait)


def rows(sheets: list[PriceSheet]) -> list[tuple[str, float]]:
    """Return hour and price per kWh of all products."""
    return [
        (str(start)[11:16], round(float(price), 6))
        for sheet in sheets
        for start, price in zip(sheet.starts, sheet.price, strict=True)
    ]
