"""The dynamic programme over stored energy, exact for one battery, and its policy.

The policy is read from the value function.
"""
