"""The mixed-integer model.

For several batteries, flexible loads, tariffs that couple slots, contradicting limits.
"""
