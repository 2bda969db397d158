"""Day-ahead prices.

One small class for each service, with the markets it knows, in order of preference.
"""
