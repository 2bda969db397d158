"""Joint paths of load, PV and prices."""
