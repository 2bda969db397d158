"""Sites by name; every configuration a site had is kept as a version."""

import json

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from luna.database.prices import stored_name
from luna.database.schema.sites import site_versions, sites
from luna.errors import NotFoundError
from luna.site import OWN_EXPORT, OWN_IMPORT, Site, parse_site


def save(connection: Connection, site: Site) -> None:
    """Store ``site`` under its name; a changed configuration becomes the next version, the same one changes nothing."""
    connection.execute(insert(sites).values(name=site.name).on_conflict_do_nothing())
    # The row's lock keeps two savers from taking the same version.
    key = connection.scalar(select(sites.c.site_key).where(sites.c.name == site.name).with_for_update())
    configuration = json.loads(site.model_dump_json(by_alias=True))
    last = connection.execute(_versions(key)).first()
    if last is None or last.configuration != configuration:
        version = 1 if last is None else last.version + 1
        connection.execute(site_versions.insert().values(site_key=key, version=version, configuration=configuration))


def load(connection: Connection, site_id: str) -> Site:
    """Return the latest configuration of a site.

    Raises:
        NotFoundError: no site of that name.
    """
    last = connection.execute(_versions(key_of(connection, site_id))).first()
    if last is None:
        raise NotFoundError("the site has no configuration", field="site", value=site_id, remedy="Add it again with `luna site add --file site.yaml`.")
    return parse_site(last.configuration)


def load_all(connection: Connection) -> list[Site]:
    """Return the latest configuration of every site, in order of their names."""
    latest = (
        select(sites.c.name, site_versions.c.configuration)
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(sites.c.name))
        .order_by(sites.c.name, site_versions.c.version.desc())
    )
    return [parse_site(row.configuration) for row in connection.execute(latest)]


def price_series(connection: Connection) -> list[str]:
    """Return under which names the prices are stored that the tariffs of all sites need, sorted: markets, and sites' own series."""
    latest = (
        select(sites.c.name, site_versions.c.configuration)
        .join(site_versions, site_versions.c.site_key == sites.c.site_key)
        .ext(distinct_on(site_versions.c.site_key))
        .order_by(site_versions.c.site_key, site_versions.c.version.desc())
        .subquery()
    )
    found = set()
    for side, own in (("import", OWN_IMPORT), ("export", OWN_EXPORT)):
        rule = latest.c.configuration["tariff"][side]
        named = select(latest.c.name, rule["kind"].astext, rule["market"].astext).where(rule["kind"].astext.in_(("spot", "series")))
        found |= {market if kind == "spot" else stored_name(site, own) for site, kind, market in connection.execute(named)}
    return sorted(found)


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
        there = connection.scalar(select(func.string_agg(sites.c.name, ", ")))
        remedy = f"Known sites: {there}." if there else "Add one with `luna site add --file site.yaml`."
        raise NotFoundError("no such site", field="site", value=site_id, remedy=remedy)
    return int(key)


def _versions(key: int | None) -> Select[tuple[int, object]]:
    return (
        select(site_versions.c.version, site_versions.c.configuration).where(site_versions.c.site_key == key).order_by(site_versions.c.version.desc()).limit(1)
    )
