"""Real-time control: the devices of steered sites follow the meters every few seconds.

The process needs no database, no queue and no planner: it goes on by the last targets on its disk.
"""
