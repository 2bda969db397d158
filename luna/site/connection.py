"""What the connection to the grid carries."""

from typing import Annotated

from pydantic import Field

from luna.site.part import Fraction, Part, PowerKw


class GridConnection(Part):
    """What the connection carries; without a value the plan is not limited by it."""

    import_limit_kw: Annotated[float, Field(gt=0, le=10_000)] = 10_000.0
    export_limit_kw: PowerKw = 10_000.0
    export_limit_share: Annotated[Fraction | None, Field(description="share of the PV's peak power that may be fed in; the lower of both limits holds")] = None

    def feed_in_limit_kw(self, peak_kw: float) -> float:
        """Return what may be fed in where PV has ``peak_kw`` in all."""
        return self.export_limit_kw if self.export_limit_share is None else min(self.export_limit_kw, self.export_limit_share * peak_kw)
