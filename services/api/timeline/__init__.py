"""Data of the plan chart: past and future slots of a site on one time axis."""
