"""Prices, costs and emissions of slots: the only place where money and carbon are computed."""
