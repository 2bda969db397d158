"""Assumptions about a site, and what stating the truth is usually worth."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site.countries import COUNTRIES
from luna.energy.site.household import ASSUMED_M2
from luna.energy.site.model import Site
from luna.energy.site.tariff import FixedPrice, SpotPrice, TimeOfUsePrice

# Share of the bill that a statement saves before a day has been measured. Source:
# ``luna bench assumptions``, which names the homes; what is missing here was not measured, or was
# worth less than 0.5 %.
WORTH: Mapping[str, float] = MappingProxyType(
    {"location": 0.06, "yearly_kwh": 0.02, "yearly_kwh_by_persons": 0.006, "shading": 0.006}
)

# From when to when set-up takes it to be night.
USUAL_NIGHT = ("22:00", "06:00")
_SAME_SHARE = 1e-9

AssumptionStep = Literal["site", "devices", "tariff"]


class SiteAssumption(NamedTuple):
    """An assumption about a site or one of its devices.

    ``code`` names the sentence, ``step`` of set-up asks for it, ``device`` is whose it is, empty:
    the site's. ``like_measured``: the site is like those on which its worth was measured.
    """

    code: str
    step: AssumptionStep
    figures: Mapping[str, float] = MappingProxyType({})
    device: str = ""
    like_measured: bool = True

    @property
    def worth(self) -> float | None:
        """Share of the bill saved by stating the value; None if not measured."""
        return WORTH.get(self.code) if self.like_measured else None


def list_assumptions(site: Site) -> list[SiteAssumption]:
    """Return the assumptions about a site, the one with the highest known worth first."""
    assumptions = [
        *_assume_household(site),
        *_assume_connection(site),
        *_assume_devices(site),
        *_assume_tariff(site),
    ]
    return sorted(assumptions, key=_worth, reverse=True)


def _worth(assumption: SiteAssumption) -> float:
    return assumption.worth or 0.0


def _assume_household(site: Site) -> Iterator[SiteAssumption]:
    household = site.household
    if household.yearly_kwh is None:
        code = "yearly_kwh" if household.persons is None else "yearly_kwh_by_persons"
        yield SiteAssumption(code, "site", {"kwh": household.yearly_load_kwh})
    if household.heated_by is None and not site.has_own("heating"):
        yield SiteAssumption("heated_by", "site")
    elif household.heating_kwh is None and (heating_kwh := site.yearly_load.heating_kwh):
        yield SiteAssumption(
            "heating_kwh", "site", {"kwh": heating_kwh, "area": household.heated_m2 or ASSUMED_M2}
        )
    if site.location is None:
        # The worth of a location was measured at homes with PV.
        yield SiteAssumption("location", "site", like_measured=bool(site.pv))


def _assume_connection(site: Site) -> Iterator[SiteAssumption]:
    fuse = site.assumed_fuse
    if fuse is not None:
        yield SiteAssumption(
            "main_fuse", "devices", {"phases": fuse.phases, "ampere": fuse.ampere, "kw": fuse.kw}
        )
    elif site.grid.import_limit_kw == NO_LIMIT_KW:
        yield SiteAssumption("no_import_limit", "devices")
    if (
        site.grid.export_limit_kw == NO_LIMIT_KW
        and site.grid.export_limit_share is None
        and (site.pv or site.batteries)
    ):
        yield SiteAssumption("no_export_limit", "devices")


def _assume_devices(site: Site) -> Iterator[SiteAssumption]:
    for kind in DEVICE_KINDS:
        if kind.defaults.assume is None:
            continue
        for device in kind.of(site):
            for assumption in kind.defaults.assume(device, site):
                yield SiteAssumption(assumption.code, "devices", assumption.figures, device.name)


def _assume_tariff(site: Site) -> Iterator[SiteAssumption]:
    """Yield what set-up fills in of a tariff.

    A price that is the same at any time is always typed.
    """
    bought = site.tariff.import_
    sold = site.tariff.export
    country = COUNTRIES.get(site.country or "")
    markets = country.markets if country is not None else ()
    if len(markets) > 1 and markets[0] in site.tariff.markets:
        yield SiteAssumption("market", "tariff")
    if isinstance(bought, SpotPrice):
        yield from _assume_market_price(site, bought)
    elif isinstance(bought, TimeOfUsePrice):
        first = bought.bands[0]
        if (first.from_, first.to, first.days) == (*USUAL_NIGHT, "all"):
            yield SiteAssumption("night_hours", "tariff")
    if isinstance(sold, FixedPrice) and not sold.price and site.pv:
        yield SiteAssumption("no_export_price", "tariff")
    elif isinstance(sold, SpotPrice) and not sold.markup:
        yield SiteAssumption("no_export_fee", "tariff")


def _assume_market_price(site: Site, bought: SpotPrice) -> Iterator[SiteAssumption]:
    country = COUNTRIES.get(site.country or "")
    if not bought.markup:
        yield SiteAssumption("no_markup", "tariff")
    elif country is not None and (bought.markup, site.currency) == (
        country.markup,
        country.currency,
    ):
        yield SiteAssumption("markup", "tariff", {"price": bought.markup})
    if not bought.vat:
        yield SiteAssumption("no_vat", "tariff")
    elif country is not None and abs(bought.vat - country.vat) < _SAME_SHARE:
        yield SiteAssumption("vat", "tariff", {"share": bought.vat})
