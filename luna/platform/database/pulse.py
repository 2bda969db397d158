"""The revision of a site's data, in one short query."""

from sqlalchemy import Connection, text

from luna.energy.site import OWN_VACATION
from luna.platform.database import sites
from luna.platform.database.schema.plans import charging_sessions

# Each part is answered by an index. What plans do not know yet stands in plan_causes; once they do,
# the plan is new.
_MARKS = text(
    "SELECT (SELECT max(issued_at) FROM plan_history WHERE site = sites.name"  # noqa: S608
    " AND system_id = 'prod') AS plan,"
    " (SELECT slot_start FROM slot_observations WHERE site_key = sites.site_key ORDER BY "
    "slot_start DESC LIMIT 1) AS measured,"
    " concat((SELECT concat(armed_at, override) FROM control_state WHERE site_key = "
    "sites.site_key),"
    " (SELECT string_agg(concat(device, override), ' ' ORDER BY device) FROM "
    "control_devices WHERE site_key = sites.site_key),"
    # A user who withdraws a wish within a second would leave no mark.
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = "
    "'override'),"
    " (SELECT string_agg(concat(limit_id, starts_at, ends_at, import_kw, export_kw, "
    "acknowledged_at), ' ' ORDER BY limit_id) FROM"
    " (SELECT * FROM operator_limits WHERE site_key = sites.site_key ORDER BY ends_at DESC "
    "LIMIT 100) AS newest)) AS control,"
    " coalesce((SELECT version FROM control_state WHERE site_key = sites.site_key), 0)"
    " + coalesce((SELECT sum(version) FROM control_devices WHERE site_key = "
    "sites.site_key), 0) AS decisions,"
    " (SELECT concat(max(block_id), ' ', count(removed_at)) FROM manual_blocks LEFT JOIN "
    "manual_removals USING (block_id)"
    " WHERE site_key = sites.site_key) AS blocks,"
    f" (SELECT concat(max(session_id), ' ', count(removed_at)) FROM {charging_sessions.name} "
    "WHERE site_key = sites.site_key) AS sessions,"
    " (SELECT concat(instant, ' ', value) FROM sensor_readings WHERE sensor_key ="
    " (SELECT sensor_key FROM sensors WHERE site_key = sites.site_key AND name = "
    ":vacation) ORDER BY instant DESC LIMIT 1) AS vacation,"
    " (SELECT max(version) FROM site_versions WHERE site_key = sites.site_key) AS site,"
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = "
    "'forecast') AS forecast,"
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = "
    "'prices') AS prices,"
    " (SELECT tried_at FROM plan_faults WHERE site_key = sites.site_key) AS fault,"
    " (SELECT max(gate_id) FROM agent_gates WHERE site_key = sites.site_key) AS agent,"
    # Tables with a row per day: only the newest days, as a page shows them, in hundreds of rows.
    " (SELECT concat(max(scored_at), ' ', count(*)) FROM"
    " (SELECT scored_at FROM daily_scores WHERE site_key = sites.site_key ORDER BY day "
    "DESC LIMIT 500) AS newest) AS scores,"
    " (SELECT concat(max(judged_at), ' ', count(*)) FROM"
    " (SELECT judged_at FROM data_quality_daily WHERE site_key = sites.site_key ORDER BY "
    "day DESC LIMIT 62) AS newest) AS quality,"
    " (SELECT concat(max(quarantine_id), ' ', count(*), ' ', count(resolved_at)) FROM "
    "(SELECT quarantine_id, resolved_at"
    # As a range of the index: by equality the planner may search the rows of all sites for one that
    # has none.
    " FROM quarantine WHERE (site_key, quarantine_id) >= (sites.site_key, 0) AND "
    "(site_key, quarantine_id) < (sites.site_key + 1, 0)"
    " ORDER BY site_key DESC, quarantine_id DESC LIMIT 100) AS newest) AS quarantine,"
    " concat((SELECT max(activation_id) FROM forecast_activations WHERE site_key = "
    "sites.site_key), ' ',"
    " (SELECT max(finished_at) FROM training_runs WHERE site_key = sites.site_key), ' ', "
    "(SELECT max(scored_at) FROM"
    " (SELECT scored_at FROM forecast_scores WHERE site_key = sites.site_key ORDER BY day "
    "DESC LIMIT 500) AS newest)) AS learning"
    " FROM sites WHERE name = :site"
)


def read(connection: Connection, site_id: str) -> dict[str, str]:
    """Return a text per kind of a site's data, another one after each change.

    Of the kinds, ``control`` is whether it is armed, what its owner wants of devices and what its
    grid operator limits, ``decisions`` what they are told, ``scores`` what days cost by policy,
    ``quality`` which days may be learned from, ``quarantine`` what was refused, ``learning``
    trainings, trials and choices of forecast versions.

    Raises:
        NotFoundError: no such site.
    """
    row = connection.execute(_MARKS, {"site": site_id, "vacation": OWN_VACATION}).mappings().first()
    if row is None:
        # Says which sites there are.
        sites.key_of(connection, site_id)
        return {}
    return {kind: str(mark) for kind, mark in row.items()}
