"""Store sites by name and keep every configuration as a version.

A site that another release stored with an unknown field is kept unchanged and returned as an
``UnreadableSite``; other sites are unaffected.
"""

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert

from luna.energy.errors import InvalidInputError, LunaError, UnreadableError
from luna.energy.refusals import refuse
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site, parse_site
from luna.platform.address_policy import DEVICE, is_example, require_host
from luna.platform.database import plan_causes
from luna.platform.database.prices import USUAL_CURRENCY, StoredSeries, stored_name
from luna.platform.database.schema.sites import site_versions, sites

# Limits the names in an error message.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A site's latest configuration, its version (1, 2, 3, …) and when it was stored."""

    site: Site
    version: int
    saved_at: datetime

    @property
    def name(self) -> str:
        return self.site.name


@dataclass(frozen=True, slots=True)
class SiteVersion:
    """A current or earlier configuration of a site, as stored."""

    version: int
    saved_at: datetime
    configuration: Any


@dataclass(frozen=True, slots=True)
class UnreadableSite:
    """The stored document of a site that this release cannot read, and the error."""

    name: str
    version: int
    saved_at: datetime
    configuration: Any
    error: UnreadableError


@dataclass(frozen=True, slots=True)
class StoredSites:
    """All sites by name, the readable and the unreadable ones."""

    sites: list[Site]
    unreadable: list[UnreadableSite]


def _latest(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(
            sites.c.name,
            *(columns or (site_versions.c.configuration,)),
            site_versions.c.version,
            site_versions.c.saved_at,
        )
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(sites.c.name))
        .order_by(sites.c.name, site_versions.c.version.desc())
    )


# Every command, question and page begins with these: they are put together once.
_KEY_OF = select(sites.c.site_key).where(sites.c.name == bindparam("name"))
_LATEST_OF = _latest().where(sites.c.name == bindparam("name"))
_DIGEST = func.jsonb_hash_extended(site_versions.c.configuration, 0).label("digest")
_DIGESTS = _latest(_DIGEST)
_DISPLAY_NAMES = _latest(site_versions.c.configuration["display_name"].astext.label("display_name"))


def save(connection: Connection, site: Site) -> int:
    """Store ``site`` under its name and return its version.

    An unchanged configuration keeps the version.

    Raises:
        ConflictError: another site's name differs only in case.
        InvalidInputError: a device's address is one that nothing is connected to.
    """
    vias = site.control.vias_by_key if site.control else {}
    for device, via in vias.items():
        # An example address of the documentation has still to be replaced.
        if not is_example(via.host):
            require_host(DEVICE, via.host, field=f"control.{device}.via.host")
    in_other_case = select(sites.c.name).where(
        func.lower(sites.c.name) == site.name.lower(), sites.c.name != site.name
    )
    other_name = connection.scalar(in_other_case.limit(1))
    if other_name is not None:
        raise refuse("name-in-other-case", field="name", value=site.name, other=other_name)
    connection.execute(insert(sites).values(name=site.name).on_conflict_do_nothing())
    # The row lock serialises concurrent savers, so that versions are unique.
    key: int = connection.scalars(
        select(sites.c.site_key).where(sites.c.name == site.name).with_for_update()
    ).one()
    configuration = json.loads(site.model_dump_json(by_alias=True))
    stored = site_versions.c
    versions = (
        select(stored.version, stored.configuration)
        .where(stored.site_key == key)
        .order_by(stored.version.desc())
    )
    last = connection.execute(versions.limit(1)).first()
    if last is not None and last.configuration == configuration:
        return int(last.version)
    version = 1 if last is None else last.version + 1
    connection.execute(
        site_versions.insert().values(site_key=key, version=version, configuration=configuration)
    )
    plan_causes.note(connection, [key], "site")
    return version


def create(connection: Connection, site: Site) -> int:
    """Store a new site and return its version, 1.

    Raises:
        ConflictError: a site of that name exists, or of one that differs only in case.
    """
    new_row = insert(sites).values(name=site.name).on_conflict_do_nothing()
    key = connection.scalar(new_row.returning(sites.c.site_key))
    if key is None:
        raise refuse("name-taken", field="name", value=site.name)
    return save(connection, site)


def change(connection: Connection, site: Site, *, version: int) -> int:
    """Store another configuration of a site that still has ``version``; return the new version.

    Raises:
        NotFoundError: no site of that name.
        OutdatedError: the site has another version.
    """
    key = key_of(connection, site.name)
    connection.execute(select(sites.c.site_key).where(sites.c.site_key == key).with_for_update())
    # An unreadable site can be changed too: a new configuration repairs it.
    _, stored = read_versions(connection, [site.name]).get(site.name, (key, 0))
    if stored != version:
        raise refuse("site-outdated", field="If-Match", value=version, stored=stored)
    return save(connection, site)


def read(connection: Connection, site_id: str) -> StoredSite:
    """Return the latest configuration of a site with its version.

    Raises:
        NotFoundError: no site of that name.
        UnreadableError: this release cannot read it.
    """
    latest = find(connection, site_id)
    if isinstance(latest, UnreadableSite):
        raise latest.error
    return latest


def find(connection: Connection, site_id: str) -> StoredSite | UnreadableSite:
    """Return a site's latest configuration with its version.

    Where this release cannot read it: the stored document with the error.

    Raises:
        NotFoundError: no site of that name.
    """
    row = connection.execute(_LATEST_OF, {"name": site_id}).first()
    if row is None:
        raise _missing(connection, site_id)
    return _stored(row)


def list_page(
    connection: Connection,
    *,
    after: str | None = None,
    limit: int = 50,
    among: Collection[str] | None = None,
) -> list[StoredSite | UnreadableSite]:
    """Return the next ``limit`` sites by name, unreadable ones included.

    Args:
        connection: to the database.
        after: the name that the page follows; None: the first page.
        limit: how many at most.
        among: only these sites; None: all.
    """
    query = _latest()
    if after is not None:
        query = query.where(sites.c.name > after)
    if among is not None:
        query = query.where(sites.c.name.in_(among))
    return [_stored(row) for row in connection.execute(query.limit(limit))]


def load(connection: Connection, site_id: str) -> Site:
    """Return the latest configuration of a site.

    Raises:
        NotFoundError: no site of that name.
        UnreadableError: this release cannot read it.
    """
    return read(connection, site_id).site


def load_last_readable(connection: Connection, site_id: str) -> tuple[Site, UnreadableError | None]:
    """Return a site's newest readable configuration, and the error of the latest one.

    The error is None where the latest can be read.

    Raises:
        NotFoundError: no site of that name.
        UnreadableError: no version of it can be read.
    """
    latest = find(connection, site_id)
    if isinstance(latest, StoredSite):
        return latest.site, None
    earlier = select(site_versions.c.configuration).where(
        site_versions.c.site_key == key_of(connection, site_id),
        site_versions.c.version < latest.version,
    )
    newest_first = earlier.order_by(site_versions.c.version.desc())
    for configuration in connection.scalars(newest_first):
        with suppress(UnreadableError):
            return parse_stored(site_id, configuration), latest.error
    raise latest.error


def find_uncontrolled(
    connection: Connection, unreadable: Iterable[UnreadableSite], armed: Collection[str]
) -> set[str]:
    """Return the armed sites without a readable version: their devices cannot be controlled."""
    uncontrolled = set()
    for site in unreadable:
        if site.name not in armed:
            continue
        try:
            load_last_readable(connection, site.name)
        except UnreadableError:
            uncontrolled.add(site.name)
    return uncontrolled


def load_all(connection: Connection) -> StoredSites:
    """Return the latest configuration of all sites by name, the unreadable ones apart."""
    stored = [_stored(row) for row in connection.execute(_latest())]
    readable = [site.site for site in stored if isinstance(site, StoredSite)]
    unreadable = [site for site in stored if isinstance(site, UnreadableSite)]
    return StoredSites(readable, unreadable)


def names_sensor(connection: Connection, text: str) -> bool:
    """Return whether any site has a sensor whose entry contains a text."""
    latest = _latest().subquery()
    query = select(latest.c.name).where(
        cast(latest.c.configuration["input_sensors"], Text).contains(text, autoescape=True)
    )
    return connection.scalar(query.limit(1)) is not None


# Digests of configurations that this release can read; the same text in two databases is the same
# site.
_READABLE: set[int] = set()
_MOST_READABLE = 100_000


def list_unreadable(connection: Connection) -> list[UnreadableSite]:
    """Return the unreadable sites by name.

    Cheap enough for every page: a configuration that was readable once is not fetched again.
    """
    digests = connection.execute(_DIGESTS)
    suspects = [row.name for row in digests if row.digest not in _READABLE]
    if not suspects:
        return []
    if len(_READABLE) > _MOST_READABLE:
        _READABLE.clear()
    query = _latest(site_versions.c.configuration, _DIGEST).where(sites.c.name.in_(suspects))
    unreadable = []
    for row in connection.execute(query):
        stored = _stored(row)
        if isinstance(stored, UnreadableSite):
            unreadable.append(stored)
        else:
            _READABLE.add(row.digest)
    return unreadable


def price_series(connection: Connection) -> list[StoredSeries]:
    """Return the stored price series that the tariffs of all sites need, sorted.

    Markets and sites' own series, in the sites' currencies.
    """
    latest = (
        select(sites.c.name, site_versions.c.configuration)
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(site_versions.c.site_key))
        .order_by(site_versions.c.site_key, site_versions.c.version.desc())
        .subquery()
    )
    series = set()
    for side, own_series in (("import", OWN_IMPORT), ("export", OWN_EXPORT)):
        rule = latest.c.configuration["tariff"][side]
        currency = func.coalesce(latest.c.configuration["currency"].astext, USUAL_CURRENCY)
        named = select(latest.c.name, currency, rule["kind"].astext, rule["market"].astext).where(
            rule["kind"].astext.in_(("spot", "series"))
        )
        for site, money, kind, market in connection.execute(named):
            stored = market if kind == "spot" else stored_name(site, own_series)
            series.add(StoredSeries(stored, money))
    return sorted(series)


def display_names(connection: Connection) -> dict[str, str]:
    """Return the display names of all sites by name, sorted by name.

    A site without one has its own name.
    """
    rows = connection.execute(_DISPLAY_NAMES)
    return {row.name: row.display_name or row.name for row in rows}


def names(connection: Connection) -> list[str]:
    """Return the names of all sites, sorted."""
    return list(connection.scalars(select(sites.c.name).order_by(sites.c.name)))


def time_zones(connection: Connection) -> set[str]:
    """Return the names of the time zones of all sites."""
    zone = site_versions.c.configuration["timezone"].astext.label("zone")
    rows = connection.execute(_latest(zone))
    return {row.zone for row in rows if row.zone is not None}


def key_of(connection: Connection, site_id: str) -> int:
    """Return a site's numeric key in the wide tables.

    Raises:
        NotFoundError: no site of that name; the remedy lists the existing ones.
    """
    key = connection.scalar(_KEY_OF, {"name": site_id})
    if key is None:
        raise _missing(connection, site_id)
    return int(key)


def keys_of(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return the numeric keys of sites by name, without unknown names."""
    rows = connection.execute(select(sites.c.name, sites.c.site_key).where(sites.c.name.in_(names)))
    return {row.name: row.site_key for row in rows}


def hold(connection: Connection, names: Collection[str]) -> set[str]:
    """Lock these sites against removal until the transaction ends; return those that exist."""
    existing = (
        select(sites.c.name)
        .where(sites.c.name.in_(names))
        .order_by(sites.c.name)
        .with_for_update(read=True, key_share=True)
    )
    return set(connection.scalars(existing))


def read_versions(connection: Connection, names: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return key and latest version of sites by name, without sites that have none.

    A site that was removed and created again has another key.
    """
    query = (
        select(sites.c.name, sites.c.site_key, func.max(site_versions.c.version))
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .where(sites.c.name.in_(names))
        .group_by(sites.c.name, sites.c.site_key)
    )
    rows = connection.execute(query)
    return {name: (int(key), int(version)) for name, key, version in rows}


def read_configurations(connection: Connection, names: Collection[str]) -> dict[str, Any]:
    """Return the latest configurations of sites as stored, for ``parse_stored``.

    Sites that have none are left out.
    """
    rows = connection.execute(_latest().where(sites.c.name.in_(names)))
    return {row.name: row.configuration for row in rows}


def list_steered(connection: Connection, names: Collection[str]) -> list[str]:
    """Return those of the named sites whose devices follow the meters, sorted by name."""
    latest = _latest().where(sites.c.name.in_(names)).subquery()
    query = select(latest.c.name).where(
        latest.c.configuration["control"]["steering"].as_boolean().is_(True)
    )
    return list(connection.scalars(query.order_by(latest.c.name)))


def list_versions(connection: Connection, site_id: str, *, limit: int) -> list[SiteVersion]:
    """Return the configurations of a site, the newest first.

    Raises:
        NotFoundError: no site of that name.
    """
    table = site_versions.c
    query = (
        select(table.version, table.saved_at, table.configuration)
        .where(table.site_key == key_of(connection, site_id))
        .order_by(table.version.desc())
        .limit(limit)
    )
    versions = []
    for version, saved_at, configuration in connection.execute(query):
        versions.append(SiteVersion(version, saved_at.astimezone(UTC), configuration))
    return versions


def read_version(connection: Connection, site_id: str, version: int) -> Any:
    """Return an earlier configuration of a site, as stored.

    Raises:
        NotFoundError: no site of that name, or no such version of it.
    """
    query = select(site_versions.c.configuration).where(
        site_versions.c.site_key == key_of(connection, site_id),
        site_versions.c.version == version,
    )
    row = connection.execute(query).first()
    if row is None:
        raise refuse(
            "not-found",
            field="version",
            value=version,
            thing="site-version",
            source="the versions on its page",
        )
    return row.configuration


def parse_stored(site_id: str, configuration: object) -> Site:
    """Parse a stored configuration of a site.

    Raises:
        UnreadableError: this release cannot read it; names the site, the field and the remedy.
    """
    try:
        return parse_site(configuration)
    except InvalidInputError as exc:
        raise refuse(
            "site-unreadable",
            field=exc.field,
            value=exc.value,
            site_id=site_id,
            message=exc.message,
        ) from exc


def read_sensing(
    connection: Connection, names: Collection[str], *, roles: Collection[str]
) -> dict[str, Any]:
    """Return the named sites' configurations with a sensor in one of these roles."""
    latest = _latest().where(sites.c.name.in_(names)).subquery()
    sensors = latest.c.configuration["input_sensors"]
    # A role without sensors is stored as an empty list.
    nothing = literal([], JSONB)
    has_sensor = [func.coalesce(sensors[role], nothing) != nothing for role in roles]
    query = (
        select(latest.c.name, latest.c.configuration)
        .where(or_(*has_sensor))
        .order_by(latest.c.name)
    )
    return {row.name: row.configuration for row in connection.execute(query)}


def read_named_since(
    connection: Connection, site_id: str, sensors: Collection[str]
) -> dict[str, datetime]:
    """Return since when a site has named each of these sensors without a break.

    The time of the version that named it under ``input_sensors``.
    """
    named = site_versions.c.configuration["input_sensors"]
    newest_first = (
        select(site_versions.c.saved_at, named.label("named"))
        .join(sites, site_versions.c.site_key == sites.c.site_key)
        .where(sites.c.name == site_id)
        .order_by(site_versions.c.version.desc())
    )
    since: dict[str, datetime] = {}
    remaining = set(sensors)
    for row in connection.execute(newest_first):
        named_sensors: set[str] = set()
        for role_sensors in (row.named or {}).values():
            named_sensors.update(map(_name_of, role_sensors))
        remaining &= named_sensors
        since |= dict.fromkeys(remaining, row.saved_at.astimezone(UTC))
    return since


def _name_of(stored: dict[str, str] | str) -> str:
    """Return the name of a stored sensor, which may have dates, without its sign."""
    signed = stored["sensor"] if isinstance(stored, dict) else stored
    return signed.removeprefix("-").strip()


def _missing(connection: Connection, site_id: str) -> LunaError:
    site_names = names(connection)
    if site_id in site_names:
        return refuse("site-without-configuration", field="site", value=site_id)
    if not site_names:
        return refuse("no-site-yet", field="site", value=site_id)
    listed = ", ".join(site_names[:MOST_NAMED])
    unlisted = len(site_names) - MOST_NAMED
    if unlisted > 0:
        listed += f" and {unlisted} more"
    return refuse("no-such-site", field="site", value=site_id, names=listed)


def _stored(row: Any) -> StoredSite | UnreadableSite:
    saved_at = row.saved_at.astimezone(UTC)
    try:
        return StoredSite(parse_stored(row.name, row.configuration), row.version, saved_at)
    except UnreadableError as error:
        return UnreadableSite(row.name, row.version, saved_at, row.configuration, error)
