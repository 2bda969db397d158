"""Sites by name; every configuration a site had is kept as a version.

A release reads what it knows. A site that another release stored with a field that this one lacks is kept as it is and named apart: it harms no other site.
"""

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert

from luna.energy.errors import InvalidInputError, LunaError, UnreadableError
from luna.energy.refusals import refuse
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site, parse_site
from luna.platform.database import plan_causes
from luna.platform.database.prices import USUAL_CURRENCY, StoredSeries, stored_name
from luna.platform.database.schema.sites import site_versions, sites

# Of a fleet nobody reads all names.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A site's latest configuration, which version of it that is (1, 2, 3, …), and since when it holds."""

    site: Site
    version: int
    saved_at: datetime

    @property
    def name(self) -> str:
        """Its name."""
        return self.site.name


@dataclass(frozen=True, slots=True)
class SiteVersion:
    """A configuration that a site has or had, as it is stored."""

    version: int
    saved_at: datetime
    configuration: Any


@dataclass(frozen=True, slots=True)
class UnreadableSite:
    """A site whose latest configuration this release cannot read: what is stored, and what is the matter with it."""

    name: str
    version: int
    saved_at: datetime
    configuration: Any
    error: UnreadableError


@dataclass(frozen=True, slots=True)
class StoredSites:
    """Every site in order of its name: those that can be read, and apart from them those that cannot."""

    sites: list[Site]
    unreadable: list[UnreadableSite]


def save(connection: Connection, site: Site) -> int:
    """Store ``site`` under its name and return its version: a changed configuration becomes the next one, the same one changes nothing.

    Raises:
        ConflictError: the name of another differs only in small and capital letters.
    """
    alike = select(sites.c.name).where(func.lower(sites.c.name) == site.name.lower(), sites.c.name != site.name)
    if (other := connection.scalar(alike.limit(1))) is not None:
        raise refuse("name-in-other-case", field="name", value=site.name, other=other)
    connection.execute(insert(sites).values(name=site.name).on_conflict_do_nothing())
    # The row's lock keeps two savers from taking the same version.
    key: int = connection.scalars(select(sites.c.site_key).where(sites.c.name == site.name).with_for_update()).one()
    configuration = json.loads(site.model_dump_json(by_alias=True))
    stored = site_versions.c
    versions = select(stored.version, stored.configuration).where(stored.site_key == key).order_by(stored.version.desc())
    last = connection.execute(versions.limit(1)).first()
    if last is not None and last.configuration == configuration:
        return int(last.version)
    version = 1 if last is None else last.version + 1
    connection.execute(site_versions.insert().values(site_key=key, version=version, configuration=configuration))
    plan_causes.note(connection, [key], "site")
    return version


def create(connection: Connection, site: Site) -> int:
    """Store a site that is not there yet and return its version, 1.

    Raises:
        ConflictError: there is one of that name, or of one that differs only in small and capital letters.
    """
    if connection.scalar(insert(sites).values(name=site.name).on_conflict_do_nothing().returning(sites.c.site_key)) is None:
        raise refuse("site-exists", field="name", value=site.name)
    return save(connection, site)


def change(connection: Connection, site: Site, *, version: int) -> int:
    """Store another configuration of a site whose version the caller has read, and return the version that it now has.

    Raises:
        NotFoundError: no site of that name.
        OutdatedError: the site has another version.
    """
    key = key_of(connection, site.name)
    connection.execute(select(sites.c.site_key).where(sites.c.site_key == key).with_for_update())
    # Of a site that cannot be read, too: another configuration is how it is mended.
    stored = read_versions(connection, [site.name]).get(site.name, (key, 0))[1]
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
    """Return the latest configuration of a site with its version, as it is stored where this release cannot read it.

    Raises:
        NotFoundError: no site of that name.
    """
    row = connection.execute(_latest().where(sites.c.name == site_id)).first()
    if row is None:
        raise _missing(connection, site_id)
    return _stored(row)


def list_page(connection: Connection, *, after: str | None = None, limit: int = 50, among: Collection[str] | None = None) -> list[StoredSite | UnreadableSite]:
    """Return ``limit`` sites in order of their names, from the one behind ``after`` on, of those ``among`` (None: all); one that cannot be read too."""
    query = _latest() if after is None else _latest().where(sites.c.name > after)
    query = query if among is None else query.where(sites.c.name.in_(among))
    return [_stored(row) for row in connection.execute(query.limit(limit))]


def load(connection: Connection, site_id: str) -> Site:
    """Return the latest configuration of a site.

    Raises:
        NotFoundError: no site of that name.
        UnreadableError: this release cannot read it.
    """
    return read(connection, site_id).site


def load_last_readable(connection: Connection, site_id: str) -> tuple[Site, UnreadableError | None]:
    """Return the newest configuration of a site that this release can read, and why the latest one cannot be read, None where it can.

    Raises:
        NotFoundError: no site of that name.
        UnreadableError: no version of it can be read.
    """
    latest = find(connection, site_id)
    if isinstance(latest, StoredSite):
        return latest.site, None
    before = select(site_versions.c.configuration).where(site_versions.c.site_key == key_of(connection, site_id), site_versions.c.version < latest.version)
    for configuration in connection.scalars(before.order_by(site_versions.c.version.desc())):
        with suppress(UnreadableError):
            return parse_stored(site_id, configuration), latest.error
    raise latest.error


def find_untold(connection: Connection, unreadable: Iterable[UnreadableSite], armed: Collection[str]) -> set[str]:
    """Return the armed ones among sites that cannot be read of which no older version can be read either: their devices cannot be controlled."""
    untold = set()
    for each in unreadable:
        try:
            _ = load_last_readable(connection, each.name) if each.name in armed else None
        except UnreadableError:
            untold.add(each.name)
    return untold


def load_all(connection: Connection) -> StoredSites:
    """Return the latest configuration of every site, in order of their names; those that cannot be read stand apart."""
    stored = [_stored(row) for row in connection.execute(_latest())]
    return StoredSites([each.site for each in stored if isinstance(each, StoredSite)], [each for each in stored if isinstance(each, UnreadableSite)])


def names_sensor(connection: Connection, text: str) -> bool:
    """Return whether any site names a sensor that holds a text."""
    latest = _latest().subquery()
    query = select(latest.c.name).where(cast(latest.c.configuration["input_sensors"], Text).contains(text, autoescape=True))
    return connection.scalar(query.limit(1)) is not None


# What this release has read, by its digest: in two databases the same text is the same site.
_READABLE: set[int] = set()
_MOST_READABLE = 100_000


def list_unreadable(connection: Connection) -> list[UnreadableSite]:
    """Return the sites that cannot be read, in order of their names; what was read once is neither fetched nor read again, so that every page can ask."""
    digest = func.jsonb_hash_extended(site_versions.c.configuration, 0).label("digest")
    suspects = [row.name for row in connection.execute(_latest(digest)) if row.digest not in _READABLE]
    if not suspects:
        return []
    if len(_READABLE) > _MOST_READABLE:
        _READABLE.clear()
    stored = [(row.digest, _stored(row)) for row in connection.execute(_latest(site_versions.c.configuration, digest).where(sites.c.name.in_(suspects)))]
    _READABLE.update(digest for digest, each in stored if isinstance(each, StoredSite))
    return [each for _, each in stored if isinstance(each, UnreadableSite)]


def price_series(connection: Connection) -> list[StoredSeries]:
    """Return where the prices are stored that the tariffs of all sites need, sorted: markets, and sites' own series, in the sites' currencies."""
    latest = (
        select(sites.c.name, site_versions.c.configuration)
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(site_versions.c.site_key))
        .order_by(site_versions.c.site_key, site_versions.c.version.desc())
        .subquery()
    )
    series = set()
    for side, own in (("import", OWN_IMPORT), ("export", OWN_EXPORT)):
        rule = latest.c.configuration["tariff"][side]
        currency = func.coalesce(latest.c.configuration["currency"].astext, USUAL_CURRENCY)
        named = select(latest.c.name, currency, rule["kind"].astext, rule["market"].astext).where(rule["kind"].astext.in_(("spot", "series")))
        rows = connection.execute(named)
        series |= {StoredSeries(market if kind == "spot" else stored_name(site, own), money) for site, money, kind, market in rows}
    return sorted(series)


def display_names(connection: Connection) -> dict[str, str]:
    """Return what the owners call all sites, by their names and sorted by them; a site that cannot be read has its own."""
    rows = connection.execute(_latest(site_versions.c.configuration["display_name"].astext.label("called")))
    return {row.name: row.called or row.name for row in rows}


def names(connection: Connection) -> list[str]:
    """Return the names of all sites, sorted."""
    return list(connection.scalars(select(sites.c.name).order_by(sites.c.name)))


def key_of(connection: Connection, site_id: str) -> int:
    """Return the number that stands for a site in the wide tables.

    Raises:
        NotFoundError: no site of that name; the remedy lists those there are.
    """
    key = connection.scalar(select(sites.c.site_key).where(sites.c.name == site_id))
    if key is None:
        raise _missing(connection, site_id)
    return int(key)


def keys_of(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return the numbers that stand for sites in the wide tables; a name that is no site's is left out."""
    rows = connection.execute(select(sites.c.name, sites.c.site_key).where(sites.c.name.in_(names)))
    return {row.name: row.site_key for row in rows}


def hold(connection: Connection, names: Collection[str]) -> set[str]:
    """Return which of these sites are there, and keep them from being removed before the transaction ends."""
    existing = select(sites.c.name).where(sites.c.name.in_(names)).order_by(sites.c.name).with_for_update(read=True, key_share=True)
    return set(connection.scalars(existing))


def read_versions(connection: Connection, names: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return which configuration of sites is the latest: the site's key, which one that was removed and added again does not share, and the version.

    A site that has none is left out.
    """
    latest = select(sites.c.name, sites.c.site_key, func.max(site_versions.c.version)).join(site_versions, site_versions.c.site_key == sites.c.site_key)
    rows = connection.execute(latest.where(sites.c.name.in_(names)).group_by(sites.c.name, sites.c.site_key))
    return {name: (int(key), int(version)) for name, key, version in rows}


def read_configurations(connection: Connection, names: Collection[str]) -> dict[str, Any]:
    """Return the latest configurations of sites as they are stored, for ``parse_stored``; one that has none is left out."""
    return {row.name: row.configuration for row in connection.execute(_latest().where(sites.c.name.in_(names)))}


def list_versions(connection: Connection, site_id: str, *, limit: int) -> list[SiteVersion]:
    """Return the configurations that a site has had, the newest first.

    Raises:
        NotFoundError: no site of that name.
    """
    columns = select(site_versions.c.version, site_versions.c.saved_at, site_versions.c.configuration)
    rows = connection.execute(columns.where(site_versions.c.site_key == key_of(connection, site_id)).order_by(site_versions.c.version.desc()).limit(limit))
    return [SiteVersion(row.version, row.saved_at.astimezone(UTC), row.configuration) for row in rows]


def read_version(connection: Connection, site_id: str, version: int) -> Any:
    """Return a configuration that a site had, as it is stored.

    Raises:
        NotFoundError: no site of that name, or it had no such version.
    """
    there = site_versions.c.site_key == key_of(connection, site_id), site_versions.c.version == version
    row = connection.execute(select(site_versions.c.configuration).where(*there)).first()
    if row is None:
        raise refuse("no-such-site-version", field="version", value=version)
    return row.configuration


def parse_stored(site_id: str, configuration: object) -> Site:
    """Return the site that is stored under a name.

    Raises:
        UnreadableError: this release cannot read it; names the site, the field and the remedy.
    """
    try:
        return parse_site(configuration)
    except InvalidInputError as exc:
        raise refuse("site-unreadable", field=exc.field, value=exc.value, site_id=site_id, message=exc.message) from exc


def read_sensing(connection: Connection, names: Collection[str], *, roles: Collection[str]) -> dict[str, Any]:
    """Return the configurations of those of the named sites that name a sensor of one of these roles, in order of their names."""
    latest = _latest().where(sites.c.name.in_(names)).subquery()
    sensors = latest.c.configuration["input_sensors"]
    # A role without sensors is stored as an empty list.
    named = or_(*(func.coalesce(sensors[role], literal([], JSONB)) != literal([], JSONB) for role in roles))
    return {row.name: row.configuration for row in connection.execute(select(latest.c.name, latest.c.configuration).where(named).order_by(latest.c.name))}


def read_named_since(connection: Connection, site_id: str, sensors: Collection[str]) -> dict[str, datetime]:
    """Return since which version of a site, without a break, each of these sensors has been named under ``input_sensors``."""
    named = site_versions.c.configuration["input_sensors"]
    versions = select(site_versions.c.saved_at, named.label("named")).join(sites, site_versions.c.site_key == sites.c.site_key).where(sites.c.name == site_id)
    since: dict[str, datetime] = {}
    remaining = set(sensors)
    for row in connection.execute(versions.order_by(site_versions.c.version.desc())):
        entries = [entry for listed in (row.named or {}).values() for entry in listed]
        remaining &= {(entry["sensor"] if isinstance(entry, dict) else entry).removeprefix("-").strip() for entry in entries}
        since |= dict.fromkeys(remaining, row.saved_at.astimezone(UTC))
    return since


def _missing(connection: Connection, site_id: str) -> LunaError:
    there = names(connection)
    if site_id in there:
        return refuse("site-without-configuration", field="site", value=site_id)
    some = ", ".join(there[:MOST_NAMED]) + (f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else "")
    if not there:
        return refuse("no-site-yet", field="site", value=site_id)
    return refuse("no-such-site", field="site", value=site_id, names=some)


def _latest(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(sites.c.name, *(columns or (site_versions.c.configuration,)), site_versions.c.version, site_versions.c.saved_at)
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(sites.c.name))
        .order_by(sites.c.name, site_versions.c.version.desc())
    )


def _stored(row: Any) -> StoredSite | UnreadableSite:
    saved_at = row.saved_at.astimezone(UTC)
    try:
        return StoredSite(parse_stored(row.name, row.configuration), row.version, saved_at)
    except UnreadableError as error:
        return UnreadableSite(row.name, row.version, saved_at, row.configuration, error)
