"""Define the read-back values of devices that do not follow the commands of their session."""

# A device under no set-point of this process: commanded by another controller, or before this
# process started. The mode that its registers hold follows after a colon if its profile has it.
OTHER = "something else"
# The same for a device that falls back to its own mode without commands.
RESET = "fell back"
# Whether a charger has its wiring decide the phases, among the readings of its car.
PHASES_KEPT = "phases_kept"
