"""What organizers do with one registration."""

from regsys.registration.organizer import people, standing_in, vouching
from regsys.registration.organizer.people import bp

__all__ = ["bp", "people", "standing_in", "vouching"]
