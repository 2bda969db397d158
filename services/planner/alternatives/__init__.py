"""Plan alternatives: another action in slots of one plan, the rest planned again."""
