"""The mixed-integer model: several batteries, flexible loads, tariffs that couple slots,
contradicting limits.
"""
