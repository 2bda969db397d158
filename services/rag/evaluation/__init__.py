"""How well passages are found and questions answered, on sets of questions."""
