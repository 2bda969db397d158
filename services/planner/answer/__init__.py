"""A plan in words and messages: slots, reasons, costs, compromises."""
