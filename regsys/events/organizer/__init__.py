"""The organizer's pages about events: a desk, and the views that lie on it."""

from regsys.events.organizer import directory, drafting, options, publishing, refunds, steps
from regsys.events.organizer.desk import desk

__all__ = ["desk", "directory", "drafting", "options", "publishing", "refunds", "steps"]
