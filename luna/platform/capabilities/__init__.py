"""What can be asked of Luna, each declared once: its route, its command and its call over HTTP are made of the declaration."""

from luna.platform.capabilities.agent import AGENT
from luna.platform.capabilities.alternatives import ALTERNATIVES
from luna.platform.capabilities.answers import ANSWERS
from luna.platform.capabilities.audit import AUDIT
from luna.platform.capabilities.building import BUILDING
from luna.platform.capabilities.control import CONTROL
from luna.platform.capabilities.data_changes import DATA_CHANGES
from luna.platform.capabilities.device_search import DEVICE_SEARCH
from luna.platform.capabilities.devices import DEVICES
from luna.platform.capabilities.documents import DOCUMENTS
from luna.platform.capabilities.edge import EDGE
from luna.platform.capabilities.forecast_orders import FORECAST_ORDERS
from luna.platform.capabilities.forecasts import FORECASTS
from luna.platform.capabilities.history import HISTORY
from luna.platform.capabilities.jobs import JOBS
from luna.platform.capabilities.keys import KEYS
from luna.platform.capabilities.manual import MANUAL
from luna.platform.capabilities.notifications import NOTIFICATIONS
from luna.platform.capabilities.plans import PLANS
from luna.platform.capabilities.prices import PRICES
from luna.platform.capabilities.quarantine import QUARANTINE
from luna.platform.capabilities.recommendations import RECOMMENDATIONS
from luna.platform.capabilities.replays import REPLAYS
from luna.platform.capabilities.scores import SCORES
from luna.platform.capabilities.search import SEARCH
from luna.platform.capabilities.series import SERIES
from luna.platform.capabilities.sites import SITES
from luna.platform.capabilities.stays import STAYS
from luna.platform.capabilities.users import USERS
from luna.platform.capability import Capability

CAPABILITIES: tuple[Capability, ...] = (
    *SITES,
    *DEVICES,
    *DEVICE_SEARCH,
    *PLANS,
    *ALTERNATIVES,
    *ANSWERS,
    *FORECASTS,
    *FORECAST_ORDERS,
    *SERIES,
    *PRICES,
    *DATA_CHANGES,
    *BUILDING,
    *HISTORY,
    *QUARANTINE,
    *CONTROL,
    *MANUAL,
    *STAYS,
    *AGENT,
    *SCORES,
    *NOTIFICATIONS,
    *DOCUMENTS,
    *RECOMMENDATIONS,
    *REPLAYS,
    *SEARCH,
    *JOBS,
    *EDGE,
    *USERS,
    *KEYS,
    *AUDIT,
)

__all__ = ["CAPABILITIES"]
