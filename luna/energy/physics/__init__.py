"""What a battery, an inverter and the grid connection can do; ``clamp`` is the safety layer.

Everything is vectorised: the leading axis counts batteries, the trailing axis sites (or whatever else runs side by side).
Energies are kWh within one slot, measured at the battery's terminals; stored energy is kWh inside the battery.
"""
