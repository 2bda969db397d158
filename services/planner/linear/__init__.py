"""Build linear models with whole numbers, and find the schedules of devices in them."""
