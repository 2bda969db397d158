"""Cameras through days: an event-driven engine with arrays over cameras, and controllers that
decide with which model they look and when they charge.

schedule, cameras, grid_period, events, metrics → protocol → kernels → engine → controllers → group
→ single. State is in ``CameraState`` and ``Tally`` alone.
"""
