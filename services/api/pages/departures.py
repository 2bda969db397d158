"""Cars on the page Planning: proposed departures with their figures, and stated levels."""

from dataclasses import dataclass
from datetime import datetime

from luna.contracts.charging_sessions import WEEKDAYS
from luna.contracts.departures import ProposedDeparture
from luna.contracts.vehicle_levels import VehicleLevel
from luna.words import Numbers
from luna.words.devices import say_device
from luna.words.pages import PageWords
from luna.words.times import say_when


@dataclass(frozen=True, slots=True)
class DeparturesView:
    """The proposed departures and the stated levels of a site's cars in words."""

    proposals: list[ProposedDeparture]
    levels: list[VehicleLevel]
    now: datetime
    numbers: Numbers
    words: PageWords

    def format_level(self, level: VehicleLevel) -> str:
        """Return how full a car is by its owner's word, with what it charged since."""
        device = say_device(level.vehicle, language=self.numbers.language)
        stated = self.numbers.share(level.soc)
        moment = say_when(level.stated_at, now=self.now, numbers=self.numbers)
        if not level.charged_kwh:
            return self.words("level_stated", device=device, soc=stated, t=moment)
        return self.words(
            "level_estimated",
            device=device,
            soc=self.numbers.share(level.estimated_soc),
            stated=stated,
            t=moment,
            kwh=self.numbers.energy(level.charged_kwh),
        )

    def format_departure(self, proposed: ProposedDeparture) -> str:
        """Return car, days and time of a proposal."""
        return self.words(
            "departure_proposed",
            device=say_device(proposed.vehicle, language=self.numbers.language),
            days=self.numbers.weekdays([WEEKDAYS.index(day) for day in proposed.days]),
            clock=proposed.leaves,
        )

    def format_evidence(self, proposed: ProposedDeparture) -> str:
        """Return the evidence of a proposal, and the usual energy of the way."""
        counts = {"departures": proposed.departures, "days": proposed.of_days}
        if proposed.usual_kwh is None or proposed.enough_kwh is None:
            return self.words("departure_seen", **counts)
        return self.words(
            "departure_seen_energy",
            usual=self.numbers.energy(proposed.usual_kwh),
            enough=self.numbers.energy(proposed.enough_kwh),
            **counts,
        )

    def format_effect(self, proposed: ProposedDeparture) -> str:
        """Return what Luna does once a proposal is accepted."""
        target = self.numbers.share(proposed.target_soc)
        if proposed.arrival_soc is None:
            effect = self.words("departure_effect", target=target)
        else:
            arrival = self.numbers.share(proposed.arrival_soc)
            effect = self.words("departure_effect_assumed", target=target, arrival=arrival)
        if proposed.replaces:
            effect = f"{effect} {self.words('departure_replaces')}"
        return effect

    def percent(self, proposed: ProposedDeparture) -> str:
        """Return the target as a field of the form has it."""
        return f"{proposed.target_soc * 100:.0f}"
