"""Learners of modes: from hindsight (trees and a small network, corrected on the states that they
reach themselves) and from the stochastic programme.
"""
