"""Linear models with whole numbers as such: how they are built, and the schedules that something
which is on or off may follow.
"""
