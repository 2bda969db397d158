"""Prices, costs and emissions of slots.

Money and carbon are computed nowhere else.
"""
