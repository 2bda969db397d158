"""Any file of a supplier's portal, an inverter or Home Assistant: what it is, and its rows as
Luna's.
"""
