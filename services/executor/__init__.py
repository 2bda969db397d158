"""The executor: sends stored plans to devices, within the safety layer.

It does not depend on the planner.
"""
