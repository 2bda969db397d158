"""What would be otherwise: an alternative to a plan, and other equipment, tariffs and rules on any day."""
