"""Why a forecast says what it says."""
