"""A home that does not exist, beside a Luna that has no other yet: its devices, and the broker that they share with Luna."""
