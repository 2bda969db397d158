"""Sources of data.

One small class for each outside service, behind the protocols of ``source``.
"""
