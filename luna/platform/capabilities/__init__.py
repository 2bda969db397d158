"""What can be asked of Luna, each declared once: its route, its command and its call over HTTP are made of the declaration."""

from luna.platform.capabilities.control import CONTROL
from luna.platform.capabilities.data_changes import DATA_CHANGES
from luna.platform.capabilities.devices import DEVICES
from luna.platform.capabilities.manual import MANUAL
from luna.platform.capabilities.notifications import NOTIFICATIONS
from luna.platform.capabilities.plans import PLANS
from luna.platform.capabilities.stays import STAYS
from luna.platform.capability import Capability

CAPABILITIES: tuple[Capability, ...] = (*DEVICES, *PLANS, *DATA_CHANGES, *CONTROL, *MANUAL, *STAYS, *NOTIFICATIONS)

__all__ = ["CAPABILITIES"]
