"""What may be placed in time beside the battery: vehicles at their chargers, appliances that may wait, and the peaks they make."""
