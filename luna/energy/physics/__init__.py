"""Physics of batteries, inverters and the grid connection; ``clamp`` is the safety layer.

Everything is vectorised: the leading axis counts batteries, the trailing axis sites (or other
independent runs). Energies are kWh within one slot, measured at the battery's terminals; stored
energy is kWh inside the battery.
"""
