"""The page Antares: the road of the learning agent to control."""
