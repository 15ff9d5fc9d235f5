"""Reads the settings of the mail server."""

from regsys.outbox.smtp import register

__all__ = ["register"]
