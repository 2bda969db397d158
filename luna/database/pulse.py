"""What tells whether anything of a site is new, in one short question."""

from sqlalchemy import Connection, text

from luna.database import sites
from luna.site import OWN_VACATION

# Each part is answered by an index. What plans do not know yet stands in plan_causes; once they do, the plan is new.
_MARKS = text(
    "SELECT (SELECT max(issued_at) FROM plan_history WHERE site = sites.name AND system_id = 'prod') AS plan,"
    " (SELECT slot_start FROM slot_observations WHERE site_key = sites.site_key ORDER BY slot_start DESC LIMIT 1) AS measured,"
    " concat((SELECT concat(armed_at, override) FROM control_state WHERE site_key = sites.site_key),"
    " (SELECT string_agg(concat(device, override), ' ' ORDER BY device) FROM control_devices WHERE site_key = sites.site_key),"
    # Who wants something and takes it back within a second would leave no mark.
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = 'override')) AS control,"
    " coalesce((SELECT version FROM control_state WHERE site_key = sites.site_key), 0)"
    " + coalesce((SELECT sum(version) FROM control_devices WHERE site_key = sites.site_key), 0) AS decisions,"
    " (SELECT concat(max(block_id), ' ', count(removed_at)) FROM manual_blocks LEFT JOIN manual_removals USING (block_id)"
    " WHERE site_key = sites.site_key) AS blocks,"
    " (SELECT concat(max(session_id), ' ', count(removed_at)) FROM vehicle_sessions WHERE site_key = sites.site_key) AS stays,"
    " (SELECT concat(instant, ' ', value) FROM sensor_readings WHERE sensor_key ="
    " (SELECT sensor_key FROM sensors WHERE site_key = sites.site_key AND name = :vacation) ORDER BY instant DESC LIMIT 1) AS vacation,"
    " (SELECT max(version) FROM site_versions WHERE site_key = sites.site_key) AS site,"
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = 'forecast') AS forecast,"
    " (SELECT change_id FROM plan_causes WHERE site_key = sites.site_key AND kind = 'prices') AS prices,"
    " (SELECT tried_at FROM plan_faults WHERE site_key = sites.site_key) AS fault,"
    " (SELECT max(gate_id) FROM agent_gates WHERE site_key = sites.site_key) AS agent"
    " FROM sites WHERE name = :site"
)


def read(connection: Connection, site_id: str) -> dict[str, str]:
    """Return a text for each kind of thing that a site has, another one with each change of it, whoever made it.

    Of the kinds, ``control`` is whether it is armed and what its owner wants of devices, ``decisions`` what they are told.

    Raises:
        NotFoundError: no such site.
    """
    row = connection.execute(_MARKS, {"site": site_id, "vacation": OWN_VACATION}).mappings().first()
    if row is None:
        # Says which sites there are.
        sites.key_of(connection, site_id)
        return {}
    return {kind: str(mark) for kind, mark in row.items()}
