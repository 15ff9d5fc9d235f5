"""Organizers' pages that span rooms: a desk, and the views that lie on it."""

from regsys.reports.organizer import credits, files, log, people, today, treasurer
from regsys.reports.organizer.desk import bp

__all__ = ["bp", "credits", "files", "log", "people", "today", "treasurer"]
