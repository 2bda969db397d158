"""Builds batches of training episodes: local days of sites as arrays to step side by side.

They have actual values, and features as they were known at the time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.economics.charges import find_charges
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
        # Each site's arrays come in the same order as those that ``_map_limits`` visits.
        all_columns = [iter(cls(own, np.empty((1, 1))).columns()) for own in limits]

        def join(_column: FloatArray) -> FloatArray:
            return np.concatenate([next(columns) for columns in all_columns], axis=-1)

        joined = _map_limits(limits[0], join)
        wear = []
        for site in sites:
            wear.append(np.array([[battery.wear_price] for battery in site.batteries]))
        return cls(*_collapse(joined, np.concatenate(wear, axis=-1)))

    def pick(self, sites: IndexArray) -> Self:
        """Return the columns of some of the sites, in this order; repeats are allowed."""

        def pick(column: FloatArray) -> FloatArray:
            return column if column.shape[-1] == 1 else column[..., sites]

        return type(self)(_map_limits(self.limits, pick), pick(self.wear_price))

    def columns(self) -> list[FloatArray]:
        """Return all arrays, always in the same order."""
        arrays: list[FloatArray] = []

        def collect(column: FloatArray) -> FloatArray:
            arrays.append(column)
            return column

        _map_limits(self.limits, collect)
        return [*arrays, self.wear_price]


def _map_limits(limits: SiteLimits, change: Change) -> SiteLimits:
    """Return limits with a change applied to every array, always in the same order."""
    batteries = BatteryLimits(**_map_fields(limits.batteries, change))
    import_limit_kw = change(limits.import_limit_kw)
    export_limit_kw = change(limits.export_limit_kw)
    # It is boolean, and changed like the others.
    curtailable: Any = limits.curtailable
    curtailable = change(curtailable)
    inverters = limits.inverters
    if inverters is not None:
        inverters = InverterLimits(**_map_fields(inverters, change))
    return SiteLimits(
        batteries,
        import_limit_kw=import_limit_kw,
        export_limit_kw=export_limit_kw,
        curtailable=curtailable,
        inverters=inverters,
    )


def _map_fields(limits: BatteryLimits | InverterLimits, change: Change) -> dict[str, Any]:
    return {field.name: change(getattr(limits, field.name)) for field in fields(limits)}


def _collapse(limits: SiteLimits, wear_price: FloatArray) -> tuple[SiteLimits, FloatArray]:
    def collapse(column: FloatArray) -> FloatArray:
        same = column.size and (column == column[..., :1]).all()
        return column[..., :1].copy() if same else np.ascontiguousarray(column)

    return _map_limits(limits, collapse), collapse(wear_price)


def _pad_inverters(parts: list[SiteLimits], *, batteries: int) -> list[SiteLimits]:
    """Return limits with equally many inverters; added ones have no PV and no limit."""
    given = [limits.inverters for limits in parts if limits.inverters is not None]
    if not given:
        return parts
    most_alone = max(len(inverters.alone_share) for inverters in given)
    none_given = InverterLimits(
        np.zeros((batteries, 1)),
        np.full((batteries, 1), np.inf),
        np.empty((0, 1)),
        np.empty((0, 1)),
    )
    padded = []
    for limits in parts:
        own = limits.inverters or none_given
        shape = (most_alone - len(own.alone_share), 1)
        inverters = replace(
            own,
            alone_share=np.concatenate([own.alone_share, np.zeros(shape)]),
            alone_limit_kw=np.concatenate([own.alone_limit_kw, np.full(shape, np.inf)]),
        )
        padded.append(replace(limits, inverters=inverters))
    return padded


NO_VERDICTS: Mapping[date, QualityVerdict] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Actual values of slots, arrays of shape ``(slots,)``; energies in kWh, prices per kWh.

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
    """Episodes by first slot, number of slots and index of the site, arrays ``(episodes,)``.

    ``worth`` is the value of a kWh left in the batteries; ``masked`` marks those with a day whose
    battery readings are not to be used; ``day`` is the first local day.
    """

    first: IndexArray
    count: IndexArray
    site: IndexArray
    worth: FloatArray
    masked: BoolArray
    day: tuple[date, ...]

    @property
    def size(self) -> int:
        return self.first.size


@dataclass(frozen=True)
class EpisodeBatch:
    """Episodes of one or more sites, with the actual values and known features of their slots.

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
        """Return an episode of ``days`` usable days in a row from each possible first day.

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
        episodes = EpisodeTable(
            first=np.array(first),
            count=np.array(count),
            site=np.zeros(len(rows), dtype=np.int64),
            worth=np.array(worth),
            masked=np.array([_is_masked(first_day, days, verdicts) for first_day in day]),
            day=day,
        )
        return cls(
            sites=(scene.site,),
            columns=SiteColumns.of([scene.site]),
            hours=scene.timeline.step / timedelta(hours=1),
            slots=table,
            features=knowledge.features,
            episodes=episodes,
            refused=refused,
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
        sites: list[Site] = []
        for part in parts:
            sites += part.sites
        columns = {}
        for field in fields(SlotTable):
            series = [getattr(part.slots, field.name) for part in parts]
            columns[field.name] = np.concatenate(series, axis=-1)
        slots = SlotTable(**columns)
        # Indices of slots and sites are moved behind those of the parts before.
        moved = []
        refused: dict[tuple[str, date], str] = {}
        start = 0
        place = 0
        for part in parts:
            own = part.episodes
            moved.append(replace(own, first=own.first + start, site=own.site + place))
            start += part.slots.load_kwh.size
            place += len(part.sites)
            refused |= part.refused
        episodes = _join_episodes(moved)
        return cls(
            sites=tuple(sites),
            columns=SiteColumns.of(sites),
            hours=parts[0].hours,
            slots=slots,
            features=SlotFeatures.join([part.features for part in parts]),
            episodes=episodes,
            refused=refused,
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
        base = self.sites[0]
        equipped = []
        parts = []
        for place, batteries in enumerate(choices):
            site = base.model_copy(update={"batteries": list(batteries)})
            _require_stepwise(site)
            curtailment = site_curtailment(site, self.slots.import_price, self.slots.export_price)
            if not np.array_equal(curtailment, self.slots.curtailment):
                raise InvalidInputError(
                    "with such a battery PV is held back in another way",
                    field="batteries",
                    remedy="Make a scene of its own for it.",
                )
            equipped.append(site)
            parts.append(replace(self.episodes, site=self.episodes.site + place))
        return replace(
            self,
            sites=tuple(equipped),
            columns=SiteColumns.of(equipped),
            episodes=_join_episodes(parts),
        )

    def find(self, day: date, *, site: str | None = None) -> int:
        """Return the index of a site's first episode of a day; default: the first site.

        Raises:
            InvalidInputError: the day was refused.
            NotFoundError: there is none.
        """
        name = site or self.sites[0].name
        for place, first_day in enumerate(self.episodes.day):
            own_site = self.sites[self.episodes.site[place]]
            if first_day == day and own_site.name == name:
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
    days: list[date] = []
    for part in parts:
        days += part.day
    return EpisodeTable(
        first=np.concatenate([part.first for part in parts]),
        count=np.concatenate([part.count for part in parts]),
        site=np.concatenate([part.site for part in parts]),
        worth=np.concatenate([part.worth for part in parts]),
        masked=np.concatenate([part.masked for part in parts]),
        day=tuple(days),
    )


def _is_masked(first: date, days: int, verdicts: Mapping[date, QualityVerdict]) -> bool:
    """Return whether a day of an episode has battery readings that are not to be used."""
    episode = [first + timedelta(days=number) for number in range(days)]
    return not all(may_use(verdicts.get(day), "soc") for day in episode)


def _require_stepwise(site: Site) -> None:
    """Refuse a site without batteries, or with costs that depend on earlier slots."""
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
    charged = find_charges(site.tariff.import_)
    if charged:
        kind = charged[0].component.kind
        remedy = "Give the price of most of its energy."
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
    gaps: dict[int, str] = {}
    for first, end in scene.days:
        day = scene.timeline.window(first, end - first)
        try:
            imported[first:end], exported[first:end] = scene.prices.actual(day)
            known_price = scene.prices.ahead(day.start, day).import_price
            quartiles[:, first:end] = find_quartiles(known_price)[:, None]
        except InvalidInputError as error:
            gaps |= dict.fromkeys(range(first, end), str(error))
    for name, series in {"load": actuals.load_kwh, "PV": actuals.pv_kwh}.items():
        missing = np.flatnonzero(~np.isfinite(series)).tolist()
        gaps |= dict.fromkeys(missing, f"what the {name} was is not known")
    curtailment = site_curtailment(scene.site, np.nan_to_num(imported), np.nan_to_num(exported))
    table = SlotTable(actuals.load_kwh, actuals.pv_kwh, imported, exported, curtailment, *quartiles)
    return table, gaps


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
