"""The executor: follows stored plans on real devices, within the safety layer. It knows no planner."""
