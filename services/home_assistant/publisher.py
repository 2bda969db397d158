"""Publish the sites' entities to Home Assistant over MQTT, and execute commands to them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from luna.contracts.live_steering import LiveSteering
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.house import findings
from luna.house.findings import SiteFinding
from luna.house.now import HouseNow, PlannedHouse
from luna.house.now_reader import read_house, read_planned
from luna.platform.clock import Clock
from luna.platform.database import plans, sites
from luna.platform.database.engine import unit_of_work
from luna.words.language import Language
from luna.words.numbers import UNKNOWN
from services.home_assistant.broker import BrokerConnection, BrokerMessage
from services.home_assistant.commands import Commands
from services.home_assistant.discovery import (
    AVAILABILITY,
    OFFLINE,
    ONLINE,
    command_topic,
    describe_site,
    is_of,
    read_announced,
    refusal_topic,
)
from services.home_assistant.entities import (
    LONGEST_STATE,
    PublishedEntity,
    list_entities,
    numbers_of,
)

TURN = timedelta(seconds=2)
PUBLISHED = Counter(
    "luna_home_assistant_published_total", "Messages that the broker was given to keep."
)
COMMANDS = Counter(
    "luna_home_assistant_commands_total",
    "What was switched in Home Assistant, by what became of it: done, refused.",
    ["outcome"],
)

log = structlog.get_logger("luna.home_assistant")


@dataclass(frozen=True, slots=True)
class Publishing:
    """Settings of the publisher.

    Args:
        language: of names and states.
        commands: whether entities take commands.
        prefix: of discovery topics.
        plan_max_age: the age from which a plan is reported as too old.
    """

    language: Language
    commands: bool
    prefix: str
    plan_max_age: timedelta


class Publisher:
    """Publishes changed messages and executes received commands, once per turn. Not thread-safe.

    Args:
        connection: to the broker.
        database: with the sites.
        commands: executes commands.
        read_steering: reads what steering does at a site, from Redis.
        publishing: settings.
        clock: source of the current time.
    """

    def __init__(
        self,
        connection: BrokerConnection,
        database: Engine,
        commands: Commands,
        read_steering: Callable[[str], LiveSteering | None],
        *,
        publishing: Publishing,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._database = database
        self._commands = commands
        self._read_steering = read_steering
        self._publishing = publishing
        self._clock = clock
        self._published: dict[str, str] = {}
        self._announced: dict[str, list[str]] = {}
        self._refusals: dict[str, str] = {}
        self._planned: dict[str, tuple[tuple[datetime | None, datetime, Site], PlannedHouse]] = {}
        self._silent: dict[str, tuple[tuple[datetime, Site], list[SiteFinding]]] = {}
        self._targets: dict[str, tuple[str, PublishedEntity]] = {}

    def turn(self, within: timedelta = TURN) -> None:
        """Execute commands, waiting up to ``within`` for the first, then publish the changes.

        Without the database, publish that Luna is offline.
        """
        received = list(self._connection.receive(within))
        if self._connection.take_fresh():
            self._published.clear()
        try:
            # The command may be for an entity of a site added since the last turn.
            if any(message.topic not in self._targets for message in received):
                self._describe(self._clock.now())
            for message in received:
                self._process(message)
            messages = self._describe(self._clock.now())
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
            self._publish({AVAILABILITY: OFFLINE})
            return
        self._publish(self._list_removals(messages) | messages | {AVAILABILITY: ONLINE})

    def _process(self, message: BrokerMessage) -> None:
        """Note the topics of an announcement, or execute a command."""
        if message.topic.endswith("/announced"):
            topics = read_announced(message.payload)
            prefix = self._publishing.prefix
            own = [topic for topic in topics if is_of(topic, message.topic, prefix)]
            self._announced[message.topic] = own
        elif message.topic in self._targets and message.payload:
            self._carry_out(*self._targets[message.topic], message)

    def _list_removals(self, messages: dict[str, str]) -> dict[str, str]:
        """Return an empty message for each announced topic that no longer exists.

        An empty message removes a retained topic, whichever process announced it.
        """
        announced = set(self._announced)
        for topics in self._announced.values():
            announced.update(topics)
        for announcement in list(self._announced):
            if announcement not in messages:
                del self._announced[announcement]
        return dict.fromkeys(announced - messages.keys() - self._targets.keys(), "")

    def _describe(self, now: datetime) -> dict[str, str]:
        about = self._publishing
        messages: dict[str, str] = {}
        views = []
        with unit_of_work(self._database) as connection:
            for site_id in sites.names(connection):
                try:
                    views.append(self._read_house(connection, site_id, now))
                except UnavailableError:
                    raise
                except LunaError as error:
                    # A site deleted since, or stored by a newer version, must not hide the others.
                    log.warning("the site cannot be told of", site_id=site_id, error=str(error))
        names = [view.site.name for view in views]
        self._planned = {name: self._planned[name] for name in names}
        self._silent = {name: self._silent[name] for name in names}
        self._targets = {}
        for view in views:
            name = view.site.name
            numbers = numbers_of(view, about.language)
            for entity in list_entities(view, numbers, commands=about.commands):
                if entity.commands:
                    self._targets[command_topic(name, entity)] = (name, entity)
            messages |= describe_site(
                view, language=about.language, prefix=about.prefix, commands=about.commands
            )
            if about.commands:
                messages[refusal_topic(name)] = self._refusals.get(name, UNKNOWN)
        return messages

    def _read_house(self, connection: Connection, site_id: str, now: datetime) -> HouseNow:
        site = sites.load(connection, site_id)
        house = read_house(
            connection,
            site,
            self._read_planned(connection, site_id, site, now),
            plan_max_age=self._publishing.plan_max_age,
            now=now,
            silent=self._find_silent(connection, site, now),
        )
        if site.control is None or not site.control.is_steered:
            return house
        steering = None
        # Without Redis everything else is published.
        with suppress(UnavailableError):
            steering = self._read_steering(site_id)
        return replace(house, steering=steering)

    def _read_planned(
        self, connection: Connection, site_id: str, site: Site, now: datetime
    ) -> PlannedHouse:
        """Return the plan's figures.

        They are slow to compute and change only with the plan, the slot and the site, so they are
        cached.
        """
        key = (plans.issued_last(connection, site_id), floor_to(now, SLOT), site)
        before = None
        if site_id in self._planned:
            cached_key, before = self._planned[site_id]
            if cached_key == key:
                return before
        planned = read_planned(connection, site, now=now, before=before)
        self._planned[site_id] = (key, planned)
        return planned

    def _find_silent(self, connection: Connection, site: Site, now: datetime) -> list[SiteFinding]:
        """Return the findings of silent devices, searched once in a while."""
        key = (floor_to(now, findings.SEARCH_EVERY), site)
        cached = self._silent.get(site.name)
        if cached is not None and cached[0] == key:
            return cached[1]
        silent = findings.find_silent(connection, site, now=now)
        self._silent[site.name] = (key, silent)
        return silent

    def _publish(self, messages: dict[str, str]) -> None:
        published = self._published
        changed = {
            topic: payload for topic, payload in messages.items() if published.get(topic) != payload
        }
        if changed and self._connection.connected:
            self._connection.publish(changed)
            PUBLISHED.inc(len(changed))
            self._published |= changed

    def _carry_out(self, site_id: str, entity: PublishedEntity, message: BrokerMessage) -> None:
        try:
            self._commands.carry_out(
                site_id, entity, message.payload, retained=message.retained, now=self._clock.now()
            )
        except LunaError as error:
            log.warning(
                "what was switched is refused", site_id=site_id, entity=entity.key, error=str(error)
            )
            self._refusals[site_id] = str(error)[:LONGEST_STATE]
            outcome = "refused"
        else:
            self._refusals.pop(site_id, None)
            outcome = "done"
        COMMANDS.labels(outcome).inc()
