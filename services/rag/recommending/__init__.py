"""What is worth reading or doing: items, the bandit that ranks them, and what is learned from what
readers do.
"""
