"""Which version of the forecasts drives a site's planner: read it, train, promote one, roll back."""

from luna.contracts.forecast_versions import ForecastStatus
from luna.platform.clock import SystemClock
from luna.platform.database import forecast_status
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("forecasts")


@router.operation("Read which version drives the planner")
def read_forecast_versions(site_id: SitePath, gateway: CurrentGateway) -> ForecastStatus:
    """Return the active version and why, how all did in shadow over two and four weeks, the last decisions and trainings."""
    with unit_of_work(gateway.database) as connection:
        return forecast_status.read_status(connection, site_id, at=SystemClock().now())
