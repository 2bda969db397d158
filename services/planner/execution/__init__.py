"""Execution: what a plan says of the slot that is now is told to the batteries, safely, whatever else is being computed."""
