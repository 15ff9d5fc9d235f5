"""Organizer's pages that span rooms, and exports."""
