"""Where readings, prices and documents come in: sources, validation, recording."""
