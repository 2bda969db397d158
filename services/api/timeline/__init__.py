"""Data of the plan chart: a site's past and future slots on one time axis."""
