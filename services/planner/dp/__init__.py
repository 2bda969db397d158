"""The dynamic programme over stored energy: exact for one battery, and the policy that is read from
its value function.
"""
