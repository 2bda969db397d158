"""What the agent is worth: measured on days it has not seen, compared fairly, drawn."""
