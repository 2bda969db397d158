"""What those who watch see of the execution."""

from prometheus_client import Counter, Gauge, Histogram

LATENESS = Histogram(
    "luna_planner_command_lateness_seconds",
    "How long after its slot began the first command of a slot was sent.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
COMMANDS = Counter("luna_planner_commands_total", "Commands by what came of them: confirmed, unconfirmed, refused.", ["site_id", "outcome"])
ARMED = Gauge("luna_planner_site_armed", "Whether a site is armed: 1 or 0.", ["site_id"])
CONFIRMED = Gauge(
    "luna_planner_last_confirmed_command_seconds", "When a command of a device was last confirmed, or first awaited; since 1970.", ["site_id", "device"]
)
FALLBACK = Gauge(
    "luna_planner_fallback_active", "Whether a device of an armed site does what it does by itself, for want of a plan or an answer.", ["site_id", "device"]
)
PLAN_AGE = Gauge("luna_planner_plan_age_seconds", "How long ago the last plan of an armed site was issued; infinite without one.", ["site_id"])
