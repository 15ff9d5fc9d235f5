"""The verbs of applications."""

from regsys.applications.services.applying import edit, submit, withdraw, withdraw_for
from regsys.applications.services.deciding import (
    decide,
    decline_called_off,
    hold_again,
    hold_from_list,
    remind,
    tell_lapsed,
)
from regsys.applications.services.drafts import drop_draft, mail_draft_link, save_draft
from regsys.applications.services.reviewing import start_review, write_review
from regsys.applications.services.shared import Sheet, lock_application
from regsys.applications.services.terms import Terms, set_terms

__all__ = [
    "Sheet",
    "Terms",
    "decide",
    "decline_called_off",
    "drop_draft",
    "edit",
    "hold_again",
    "hold_from_list",
    "lock_application",
    "mail_draft_link",
    "remind",
    "save_draft",
    "set_terms",
    "start_review",
    "submit",
    "tell_lapsed",
    "withdraw",
    "withdraw_for",
    "write_review",
]
