"""Which reason of an owner's each feature and each member of the blend belongs to."""

import re
from typing import Literal

# sky: sun and clouds ahead · hours: the last few · days: the level of the last few · habit: what the weeks say of this time of day beyond the last seven days ·
# limit: no energy is below zero, none above what the arrays can yield · later: what was measured or learned only after the issue · model: what spoke
# and cannot be read any more · rest: what has no name of its own
Group = Literal["calendar", "vacation", "temperature", "wind", "sky", "hours", "days", "habit", "limit", "later", "model", "rest"]
GROUPS: tuple[Group, ...] = ("calendar", "vacation", "temperature", "wind", "sky", "hours", "days", "habit", "limit", "later", "model", "rest")

# The first pattern found in a feature's name decides.
PATTERNS: tuple[tuple[Group, str], ...] = (
    ("vacation", r"vacation|away"),
    ("calendar", r"^weekday$|day_of_week|weekend|holiday"),
    ("temperature", r"temperature|heating|cooling"),
    ("wind", r"wind"),
    ("sky", r"ghi|dhi|dni|cloud|irradiance|weather|estimate|clear_index|beam_index|diffuse_share"),
    ("days", r"^last_96_slots$"),
    ("hours", r"^last_\d+_slots$|hour_deviation|corrected|persistent|clearness|brightness_now|brightness_unusual|recent_clear_sky"),
    ("days", r"day_deviation|lifted|lift|latest|calm_second|week_kwh|brightness_day|brightness_week"),
    ("habit", r"mean|median|^p\d\d_|^(week|month)_q\d+|calm_|clear_sky|best_kwh|slot_of_day|season|^lead$"),
)

# Member of the blend → the member it starts from, and the reason of the difference; every chain ends at the mean of the last seven days.
MEAN = "mean"
STEPS: dict[str, tuple[str, Group]] = {
    "median": (MEAN, "habit"),
    "fortnight_median": (MEAN, "habit"),
    "fortnight_mean": (MEAN, "habit"),
    "month_median": (MEAN, "habit"),
    "pool_3": (MEAN, "habit"),
    "pool_7": (MEAN, "habit"),
    "pool_20": (MEAN, "habit"),
    "pool_28": (MEAN, "habit"),
    "clear_sky": (MEAN, "habit"),
    "month_clear_sky": (MEAN, "habit"),
    "weekday": (MEAN, "calendar"),
    "latest": (MEAN, "days"),
    "mean_corrected": (MEAN, "hours"),
    "median_corrected": ("median", "hours"),
    "mean_lifted": ("mean_corrected", "days"),
    "median_lifted": ("median_corrected", "days"),
    "persistent": ("clear_sky", "hours"),
    "weather": (MEAN, "sky"),
}


def group_of(feature: str) -> Group:
    """Return the reason a feature belongs to; ``rest`` where nothing is known of it."""
    return next((group for group, pattern in PATTERNS if re.search(pattern, feature)), "rest")


def trace_member(member: str) -> list[tuple[str, str, Group]]:
    """Return the steps from the mean to a member: from, to, reason."""
    steps: list[tuple[str, str, Group]] = []
    while member != MEAN:
        start, group = STEPS.get(member, (MEAN, "rest"))
        steps.append((start, member, group))
        member = start
    return steps
