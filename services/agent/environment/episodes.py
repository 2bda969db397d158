"""Build batches of training episodes: local days of sites with actual values and features as known
then, as arrays to step side by side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.economics.charges import find_charge
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.physics.inverters import InverterLimits
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import BoolArray, IntArray
from luna.energy.quality_verdict import QualityVerdict, may_use
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.actions import find_quartiles
from services.agent.environment.slot_features import SceneKnowledge, SlotFeatures
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.replay.data import ReplayData

Change = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class SiteColumns:
    """Limits and wear of sites along the last axis of each array.

    A single column where all sites are alike.
    """

    limits: SiteLimits
    wear_price: FloatArray

    @classmethod
    def of(cls, sites: Sequence[Site]) -> Self:
        """Return the columns of sites.

        Raises:
            InvalidInputError: sites with different numbers of batteries.
        """
        counts = {len(site.batteries) for site in sites}
        if len(counts) != 1:
            remedy = "Make one batch of the sites with each number of batteries."
            raise InvalidInputError(
                "sites side by side need the same number of batteries",
                field="sites",
                value=str(sorted(counts)),
                remedy=remedy,
            )
        limits = _pad_inverters([SiteLimits.of(site) for site in sites], batteries=counts.pop())
        alone = [iter(cls(each, np.empty((1, 1))).columns()) for each in limits]
        joined = _map_limits(
            limits[0], lambda _: np.concatenate([next(columns) for columns in alone], axis=-1)
        )
        wear = [np.array([[battery.wear_price] for battery in site.batteries]) for site in sites]
        return cls(*_collapse(joined, np.concatenate(wear, axis=-1)))

    def pick(self, sites: IndexArray) -> Self:
        """Return the columns of some of the sites, in this order; repeats are allowed."""

        def pick(column: FloatArray) -> FloatArray:
            return column if column.shape[-1] == 1 else column[..., sites]

        return type(self)(_map_limits(self.limits, pick), pick(self.wear_price))

    def columns(self) -> list[FloatArray]:
        """Return all arrays, always in the same order."""
        arrays: list[FloatArray] = []

        def note(column: FloatArray) -> FloatArray:
            arrays.append(column)
            return column

        _map_limits(self.limits, note)
        return [*arrays, self.wear_price]


def _map_limits(limits: SiteLimits, change: Change) -> SiteLimits:
    columns: dict[str, Any] = {
        each.name: change(getattr(limits.batteries, each.name)) for each in fields(BatteryLimits)
    }
    grid: dict[str, Any] = {
        name: change(getattr(limits, name))
        for name in ("import_limit_kw", "export_limit_kw", "curtailable")
    }
    behind = limits.inverters
    if behind is not None:
        behind = InverterLimits(
            **{each.name: change(getattr(behind, each.name)) for each in fields(InverterLimits)}
        )
    return SiteLimits(BatteryLimits(**columns), inverters=behind, **grid)


def _collapse(limits: SiteLimits, wear_price: FloatArray) -> tuple[SiteLimits, FloatArray]:
    def collapse(column: FloatArray) -> FloatArray:
        same = column.size and (column == column[..., :1]).all()
        return column[..., :1].copy() if same else np.ascontiguousarray(column)

    return _map_limits(limits, collapse), collapse(wear_price)


def _pad_inverters(parts: list[SiteLimits], *, batteries: int) -> list[SiteLimits]:
    """Return limits with equally many inverters, padded with ones without PV and without a
    limit.
    """
    if all(each.inverters is None for each in parts):
        return parts
    alone = max(0 if each.inverters is None else len(each.inverters.alone_share) for each in parts)
    padded = []
    for each in parts:
        own = each.inverters or InverterLimits(
            np.zeros((batteries, 1)),
            np.full((batteries, 1), np.inf),
            np.empty((0, 1)),
            np.empty((0, 1)),
        )
        lacking = alone - len(own.alone_share)
        shares = np.concatenate([own.alone_share, np.zeros((lacking, 1))])
        inverters = replace(
            own,
            alone_share=shares,
            alone_limit_kw=np.concatenate([own.alone_limit_kw, np.full((lacking, 1), np.inf)]),
        )
        padded.append(replace(each, inverters=inverters))
    return padded


NO_VERDICTS: Mapping[date, QualityVerdict] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Actual values of slots, arrays of shape ``(slots,)``: energies in kWh, prices in
    currency/kWh, and the site's curtailment.

    ``q25``, ``q50`` and ``q75`` are lower quartile, median and upper quartile of the local day's
    import price, zero prices left out.
    """

    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    curtailment: IntArray
    q25: FloatArray
    q50: FloatArray
    q75: FloatArray

    def at(self, slots: IndexArray) -> "SlotTable":
        """Return the actual values of some of the slots, in this order."""
        return SlotTable(
            load_kwh=self.load_kwh[slots],
            pv_kwh=self.pv_kwh[slots],
            import_price=self.import_price[slots],
            export_price=self.export_price[slots],
            curtailment=self.curtailment[slots],
            q25=self.q25[slots],
            q50=self.q50[slots],
            q75=self.q75[slots],
        )


@dataclass(frozen=True, slots=True)
class EpisodeTable:
    """Episodes, arrays of shape ``(episodes,)``: first slot, number of slots, index of the site,
    and value of a kWh left in its batteries.

    ``masked`` marks those with a day whose battery readings are not to be used; ``day`` is the
    first local day.
    """

    first: IndexArray
    count: IndexArray
    site: IndexArray
    worth: FloatArray
    masked: BoolArray
    day: tuple[date, ...]

    @property
    def size(self) -> int:
        """Number of episodes."""
        return self.first.size


@dataclass(frozen=True)
class EpisodeBatch:
    """Episodes of one or more sites, with the actual values of their slots and the features known
    at the start of each.

    ``refused``: the reason for each day that no episode may contain, by the site's name and day.
    """

    sites: tuple[Site, ...]
    columns: SiteColumns
    hours: float
    slots: SlotTable
    features: SlotFeatures
    episodes: EpisodeTable
    refused: Mapping[tuple[str, date], str]

    @classmethod
    def of(
        cls,
        scene: ReplayData,
        *,
        days: int = 1,
        verdicts: Mapping[date, QualityVerdict] = NO_VERDICTS,
    ) -> Self:
        """Return the episodes of ``days`` consecutive usable local days, one from each day of a
        scene that begins such a run.

        Args:
            scene: actual values, forecasts and prices with their instants of issue.
            days: length of an episode.
            verdicts: on the data quality of local days; ``exclude`` is refused, ``mask_battery``
                marked. A day without one is clean.

        Raises:
            InvalidInputError: no day can be used, or a slot's cost depends on slots before it.
        """
        _require_stepwise(scene.site)
        table, gaps = _read_slots(scene)
        knowledge = SceneKnowledge.of(scene)
        reasons = _refuse_days(scene, gaps | knowledge.unknown, verdicts)
        rows = []
        for place in range(len(scene.days) - days + 1):
            within = scene.days[place : place + days]
            if any(_day_of(scene, begin) in reasons for begin, _ in within):
                continue
            begin = within[0][0]
            end = within[-1][1]
            paid = scene.prices.mean_import_price(scene.timeline.start + end * scene.timeline.step)
            worth_of_kwh = TERMINAL_SHARE * max(paid, 0.0)
            rows.append((begin, end - begin, worth_of_kwh, _day_of(scene, begin)))
        refused = {(scene.site.name, day): reason for day, reason in reasons.items()}
        if not rows:
            reason = next(iter(refused.values()), f"it has fewer than {days} days")
            raise InvalidInputError(
                f"no episode can be made of these days: {reason}", field="days", value=days
            )
        first, count, worth, day = zip(*rows, strict=True)
        masked = np.array(
            [
                any(
                    not may_use(verdicts.get(each + timedelta(days=ahead)), "soc")
                    for ahead in range(days)
                )
                for each in day
            ]
        )
        episodes = EpisodeTable(
            np.array(first),
            np.array(count),
            np.zeros(len(rows), dtype=np.int64),
            np.array(worth),
            masked,
            day,
        )
        return cls(
            (scene.site,),
            SiteColumns.of([scene.site]),
            scene.timeline.step / timedelta(hours=1),
            table,
            knowledge.features,
            episodes,
            refused,
        )

    @classmethod
    def join(cls, parts: Sequence["EpisodeBatch"]) -> Self:
        """Return the episodes of all parts: other sites, batteries, tariffs or years.

        Raises:
            InvalidInputError: their slots are not of one length, or their sites have different
                numbers of batteries.
        """
        if len({part.hours for part in parts}) != 1:
            raise InvalidInputError(
                "episodes side by side need slots of one length",
                field="slot_minutes",
                value=str(sorted({60 * part.hours for part in parts})),
            )
        sites = tuple(site for part in parts for site in part.sites)
        slots = SlotTable(
            **{
                each.name: np.concatenate(
                    [getattr(part.slots, each.name) for part in parts], axis=-1
                )
                for each in fields(SlotTable)
            }
        )
        starts = np.cumsum([0, *(part.slots.load_kwh.size for part in parts)])
        places = np.cumsum([0, *(len(part.sites) for part in parts)])
        moved = [part.episodes for part in parts]
        moved = [
            replace(each, first=each.first + start, site=each.site + place)
            for each, start, place in zip(moved, starts, places, strict=False)
        ]
        episodes = _join_episodes(moved)
        refused = {key: reason for part in parts for key, reason in part.refused.items()}
        return cls(
            sites,
            SiteColumns.of(sites),
            parts[0].hours,
            slots,
            SlotFeatures.join([part.features for part in parts]),
            episodes,
            refused,
        )

    def equip(self, choices: Sequence[Sequence[Battery]]) -> Self:
        """Return the episodes of this batch's only site once for each choice of batteries.

        The slots are shared.

        Raises:
            InvalidInputError: the batch holds several sites, a choice changes the curtailment, or
                choices differ in their number of batteries.
        """
        if len(self.sites) != 1:
            raise InvalidInputError(
                "only the episodes of one site can be given other batteries",
                field="sites",
                value=len(self.sites),
            )
        site = self.sites[0]
        sites = tuple(site.model_copy(update={"batteries": list(each)}) for each in choices)
        for each in sites:
            _require_stepwise(each)
            if not np.array_equal(
                site_curtailment(each, self.slots.import_price, self.slots.export_price),
                self.slots.curtailment,
            ):
                raise InvalidInputError(
                    "with such a battery PV is held back in another way",
                    field="batteries",
                    remedy="Make a scene of its own for it.",
                )
        episodes = _join_episodes(
            [replace(self.episodes, site=self.episodes.site + place) for place in range(len(sites))]
        )
        return replace(self, sites=sites, columns=SiteColumns.of(sites), episodes=episodes)

    def find(self, day: date, *, site: str | None = None) -> int:
        """Return the index of the first episode of a site (default: the first one) that begins on a
        day.

        Raises:
            InvalidInputError: the day was refused.
            NotFoundError: there is none.
        """
        name = site or self.sites[0].name
        for place in range(self.episodes.size):
            if (
                self.episodes.day[place] == day
                and self.sites[self.episodes.site[place]].name == name
            ):
                return place
        if (name, day) in self.refused:
            raise InvalidInputError(
                f"this day cannot be used: {self.refused[name, day]}",
                field="day",
                value=day.isoformat(),
            )
        raise NotFoundError(
            "no episode begins on this day",
            field="day",
            value=day.isoformat(),
            remedy="Choose one of those that the batch holds.",
        )


def _join_episodes(parts: Sequence[EpisodeTable]) -> EpisodeTable:
    arrays = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(EpisodeTable)
        if each.name != "day"
    }
    return EpisodeTable(day=tuple(day for part in parts for day in part.day), **arrays)


def _require_stepwise(site: Site) -> None:
    """Refuse a site without batteries, or one where a slot's cost depends on earlier slots."""
    if not site.batteries:
        raise InvalidInputError(
            "there is nothing to decide at a site without a battery", field="site.batteries"
        )
    if any(battery.wear_by_depth for battery in site.batteries):
        raise InvalidInputError(
            "wear by the depth of cycles cannot be learned slot by slot",
            field="site.batteries.wear_by_depth",
            remedy="Give a wear_price.",
        )
    if find_charge(site.tariff.import_) is not None:
        kind = site.tariff.import_.kind
        remedy = "Give the price of the block it mostly ends in."
        raise InvalidInputError(
            f"a tariff in {kind} cannot be learned day by day",
            field="site.tariff.import.kind",
            value=kind,
            remedy=remedy,
        )


def _read_slots(scene: ReplayData) -> tuple[SlotTable, dict[int, str]]:
    """Return the actual values of a scene's window, and the slots with gaps."""
    actuals = scene.actuals
    count = scene.timeline.count
    imported = np.full(count, np.nan)
    exported = np.full(count, np.nan)
    quartiles = np.zeros((3, count))
    gaps = dict[int, str]()
    for first, end in scene.days:
        day = scene.timeline.window(first, end - first)
        try:
            imported[first:end], exported[first:end] = scene.prices.actual(day)
            quartiles[:, first:end] = find_quartiles(
                scene.prices.ahead(day.start, day).import_price
            )[:, None]
        except InvalidInputError as error:
            gaps |= dict.fromkeys(range(first, end), str(error))
    for name, series in {"load": actuals.load_kwh, "PV": actuals.pv_kwh}.items():
        gaps |= dict.fromkeys(
            np.flatnonzero(~np.isfinite(series)).tolist(), f"what the {name} was is not known"
        )
    curtailment = site_curtailment(scene.site, np.nan_to_num(imported), np.nan_to_num(exported))
    return SlotTable(
        actuals.load_kwh, actuals.pv_kwh, imported, exported, curtailment, *quartiles
    ), gaps


def _refuse_days(
    scene: ReplayData, gaps: Mapping[int, str], verdicts: Mapping[date, QualityVerdict]
) -> dict[date, str]:
    """Return the reason for each unusable day."""
    reasons = {}
    for first, end in scene.days:
        day = _day_of(scene, first)
        missing = [slot for slot in range(first, end) if slot in gaps]
        if not may_use(verdicts.get(day)):
            reasons[day] = "its data cannot be trusted (exclude)"
        elif missing:
            reasons[day] = f"{len(missing)} of {end - first} slots have gaps: {gaps[missing[0]]}"
    return reasons


def _day_of(scene: ReplayData, slot: int) -> date:
    return (scene.timeline.start + slot * scene.timeline.step).astimezone(scene.zone).date()
