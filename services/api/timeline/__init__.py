"""What the plan chart draws, gathered: past and coming slots of a site on one time axis."""
