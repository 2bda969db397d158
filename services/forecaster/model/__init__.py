"""Aurora and the baselines: trees, stacking, calibration, and how they are kept."""
