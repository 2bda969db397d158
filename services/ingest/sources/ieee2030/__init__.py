"""Limits of a utility's server that speaks IEEE 2030.5, as CSIP and CSIP-AUS profile it."""
