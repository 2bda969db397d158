"""Assumptions about a site in place of missing statements, and what stating the truth is usually worth."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from luna.energy.devices import DEVICE_KINDS
from luna.energy.site.household import ASSUMED_M2
from luna.energy.site.model import Site

# Share of the bill that a statement saves before a day has been measured. Source: ``luna bench assumptions``, which names the homes; what is missing here was
# not measured, or was worth less than 0.5 %.
WORTH: Mapping[str, float] = MappingProxyType({"location": 0.06, "yearly_kwh": 0.02, "yearly_kwh_by_persons": 0.006, "shading": 0.006})

AssumptionStep = Literal["site", "devices"]


class SiteAssumption(NamedTuple):
    """Something that is assumed: ``code`` names the sentence, ``step`` of set-up asks for it, ``device`` is whose it is, empty: the site's.

    ``like_measured``: the site is like those on which its worth was measured.
    """

    code: str
    step: AssumptionStep
    figures: Mapping[str, float] = MappingProxyType({})
    device: str = ""
    like_measured: bool = True

    @property
    def worth(self) -> float | None:
        """Share of the bill that stating it saves; None where that was not measured."""
        return WORTH.get(self.code) if self.like_measured else None


def list_assumptions(site: Site) -> list[SiteAssumption]:
    """Return the assumptions about a site, the one with the highest known worth first."""
    assumptions = [*_assume_household(site), *_assume_devices(site)]
    return sorted(assumptions, key=lambda each: -(each.worth or 0.0))


def _assume_household(site: Site) -> Iterator[SiteAssumption]:
    household = site.household
    if household.yearly_kwh is None:
        code = "yearly_kwh" if household.persons is None else "yearly_kwh_by_persons"
        yield SiteAssumption(code, "site", {"kwh": household.yearly_load_kwh})
    if household.heated_by is None and not site.has_own("heating"):
        yield SiteAssumption("heated_by", "site")
    elif household.heating_kwh is None and (heating_kwh := site.yearly_load.heating_kwh):
        yield SiteAssumption("heating_kwh", "site", {"kwh": heating_kwh, "area": household.heated_m2 or ASSUMED_M2})
    if site.location is None:
        # The worth of a location was measured at homes with PV.
        yield SiteAssumption("location", "site", like_measured=bool(site.pv))


def _assume_devices(site: Site) -> Iterator[SiteAssumption]:
    for kind in DEVICE_KINDS:
        if kind.assume is not None:
            yield from (SiteAssumption(each.code, "devices", each.figures, device.name) for device in kind.of(site) for each in kind.assume(device))
