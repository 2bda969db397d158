"""Cameras through days: an event-driven engine, and controllers that decide.

The engine has arrays over cameras; controllers choose a model and when to charge.

schedule, cameras, grid_period, events, metrics → protocol → kernels → engine → controllers → group
→ single. State is in ``CameraState`` and ``Tally`` alone.
"""
