"""Where data come from: one small class for each outside service, behind the protocols of
``source``.
"""
