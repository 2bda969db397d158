"""Forecast a site's load and PV of the coming days, with quantiles, by Aurora and baselines."""
