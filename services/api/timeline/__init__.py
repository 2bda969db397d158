"""What the plan chart draws, gathered: past and coming slots of a site on one time axis."""

from services.api.timeline.build import build_timeline
from services.api.timeline.document import Timelines
from services.api.timeline.memory import PlanMemory

__all__ = ["PlanMemory", "Timelines", "build_timeline"]
