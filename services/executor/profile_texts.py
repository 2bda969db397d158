"""Read-back values of a device that Luna drives itself and that does something else than its
session commanded.
"""

# What a device under no set-point of this process does: commanded by another controller, or before
# this process started. The mode that its registers hold follows after a colon, where that is one of
# its profile's.
OTHER = "something else"
# The same of a device that falls back to its own mode where nobody commands it.
RESET = "fell back"
