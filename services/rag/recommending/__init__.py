"""Recommend documents and tips: items, the bandit that ranks them, and learning from readers."""
