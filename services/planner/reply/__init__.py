"""A plan in the words of the outward interface: slots, costs, devices, reasons."""
