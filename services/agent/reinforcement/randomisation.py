"""Many homes from one history: other batteries, tariffs and roofs, so that a policy learns what it is told of a home and not the home by heart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from luna.energy.devices import Battery
from luna.energy.outlook import Forecast
from luna.energy.site import FixedPrice, PriceRule, Site, SpotPrice
from luna.energy.timeline import FloatArray
from services.agent.environment.episodes import EpisodeBatch
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.replay.data import ReplayData


@dataclass(frozen=True, slots=True)
class HomeRange:
    """What homes are drawn from, each value between its two bounds; prices in currency/kWh.

    ``capacity_hours`` is the battery's capacity as hours of the site's mean load, drawn evenly in its logarithm, ``power_share`` its power in kW per kWh of
    capacity, ``efficiency`` that of each way, ``pv_scale`` what the site's PV is multiplied with.
    """

    capacity_hours: tuple[float, float] = (5.0, 60.0)
    power_share: tuple[float, float] = (0.25, 1.0)
    efficiency: tuple[float, float] = (0.90, 0.98)
    wear_price: tuple[float, float] = (0.0, 0.03)
    markup: tuple[float, float] = (0.05, 0.25)
    feed_in_price: tuple[float, float] = (0.02, 0.12)
    pv_scale: tuple[float, float] = (0.3, 2.0)


@dataclass(frozen=True, slots=True)
class HomeDraw:
    """How many homes: each of so many tariffs and roofs with so many batteries."""

    scenes: int = 12
    batteries: int = 8
    homes: HomeRange = HomeRange()


def draw_homes(scene: ReplayData, draw: HomeDraw, *, rng: np.random.Generator, days: int) -> EpisodeBatch:
    """Return episodes of ``days`` days of homes that lived the scene's history with batteries, tariffs and roofs of their own.

    Raises:
        InvalidInputError: no episode can be made of the scene.
    """
    load, _ = scene.foresight.ahead(scene.timeline.start, scene.timeline)
    mean_load_kw = float(np.nanmean(load / scene.timeline.hours))
    parts = []
    for _ in range(draw.scenes):
        drawn = draw_scene(scene, draw.homes, rng)
        parts.append(EpisodeBatch.of(drawn, days=days).equip([draw_batteries(drawn.site, draw.homes, mean_load_kw, rng=rng) for _ in range(draw.batteries)]))
    return EpisodeBatch.join(parts)


def draw_scene(scene: ReplayData, homes: HomeRange, rng: np.random.Generator) -> ReplayData:
    """Return the scene under a tariff and a roof that are drawn."""
    scale = float(rng.uniform(*homes.pv_scale))
    site = scene.site.model_copy(update={"tariff": scene.site.tariff.model_copy(update=_draw_tariff(scene, homes, rng))})
    foresight, prices = scene.foresight, scene.prices
    return replace(
        scene,
        site=site,
        foresight=PerfectForesight(foresight.timeline, foresight.load_kwh, foresight.pv_kwh * scale),
        prices=SitePrices(site, prices.timeline, prices.books, prices.carbon),
        forecasts=ForecastArchive([_scale_pv(each, scale) for each in scene.forecasts.forecasts]),
    )


def _scale_pv(forecast: Forecast, scale: float) -> Forecast:
    def change(energy_kwh: FloatArray) -> FloatArray:
        return energy_kwh * scale

    return replace(forecast, pv_kwh=forecast.pv_kwh.map(change))


def _draw_tariff(scene: ReplayData, homes: HomeRange, rng: np.random.Generator) -> dict[str, PriceRule]:
    """Return a tariff's rules: spot with a markup in, and spot, a fixed price or the same price out; a site without a market keeps its own."""
    if not scene.prices.books:
        return {}
    market = next(iter(scene.prices.books))
    spot = SpotPrice(kind="spot", market=market)
    marked_up = SpotPrice(kind="spot", market=market, markup=round(float(rng.uniform(*homes.markup)), 4))
    fixed = FixedPrice(kind="fixed", price=round(float(rng.uniform(*homes.feed_in_price)), 4))
    imported, exported = ((marked_up, spot), (marked_up, fixed), (spot, spot))[int(rng.integers(3))]
    return {"import_": imported, "export": exported}


def draw_batteries(site: Site, homes: HomeRange, mean_load_kw: float, *, rng: np.random.Generator) -> Sequence[Battery]:
    """Return the site's batteries with capacity, power, efficiency and wear that are drawn."""
    return [_draw_battery(battery, homes, mean_load_kw / len(site.batteries), rng=rng) for battery in site.batteries]


def _draw_battery(battery: Battery, homes: HomeRange, mean_load_kw: float, *, rng: np.random.Generator) -> Battery:
    capacity = mean_load_kw * float(np.exp(rng.uniform(*np.log(homes.capacity_hours))))
    power = capacity * float(rng.uniform(*homes.power_share))
    efficiency = float(rng.uniform(*homes.efficiency))
    changes = {
        "capacity_kwh": capacity,
        "charge_limit_kw": power,
        "discharge_limit_kw": power,
        "charge_efficiency": efficiency,
        "discharge_efficiency": efficiency,
        "wear_price": float(rng.uniform(*homes.wear_price)),
        "min_charge_kw": min(battery.min_charge_kw, power),
    }
    return battery.model_copy(update=changes)
