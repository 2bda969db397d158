"""What a forecast may know at its issue, and what a series looks like from there."""
