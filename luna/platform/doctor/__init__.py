"""What is wrong with an installation, and what to do: looked at from outside of all services, so that it works where they do not."""

from luna.platform.doctor.bundle import write_bundle
from luna.platform.doctor.examination import examine
from luna.platform.doctor.finding import DoctorFinding, has_fault

__all__ = ["DoctorFinding", "examine", "has_fault", "write_bundle"]
