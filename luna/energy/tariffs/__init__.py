"""Components of a price: one module per kind, with the fields of the file and the price of a slot.

``components`` lists the kinds. A price is the sum of its components in force.
"""
