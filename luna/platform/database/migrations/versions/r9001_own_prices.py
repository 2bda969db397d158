"""Sites' own prices among those of markets, with when they became known: what was loaded before now serves a tariff of kind series."""

from alembic import op

revision = "9001"
down_revision = "0014"
branch_labels = None
depends_on = None

# Nobody noted when these became known: as day-ahead prices, at 13:00 of the site's day before. A zone that PostgreSQL does not know is read as UTC.
COPY = """
INSERT INTO market_prices (market, slot_start, published_at, price, currency)
SELECT 'site:' || site.name || ':' || own.series, observed.slot_start,
    (date_trunc('day', observed.slot_start AT TIME ZONE site.zone) - interval '11 hours') AT TIME ZONE site.zone, own.price, site.currency
FROM (
    SELECT DISTINCT ON (sites.site_key) sites.site_key, sites.name, configuration ->> 'currency' AS currency, coalesce(known.name, 'UTC') AS zone
    FROM sites JOIN site_versions ON site_versions.site_key = sites.site_key
    LEFT JOIN pg_timezone_names AS known ON known.name = configuration ->> 'timezone'
    ORDER BY sites.site_key, site_versions.version DESC
) AS site
JOIN slot_observations AS observed ON observed.site_key = site.site_key
CROSS JOIN LATERAL (VALUES ('import_price', observed.import_price), ('export_price', observed.export_price)) AS own (series, price)
WHERE own.price IS NOT NULL
ON CONFLICT DO NOTHING;
"""
REMOVE = "DELETE FROM market_prices WHERE market LIKE 'site:%'"


def upgrade() -> None:
    op.execute(COPY)


def downgrade() -> None:
    op.execute(REMOVE)
