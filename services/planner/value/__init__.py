"""The value of stored energy: dynamic programme, segments, thresholds, modes."""
