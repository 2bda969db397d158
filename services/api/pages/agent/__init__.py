"""The page Antares: the learning agent on its way from training to control."""
