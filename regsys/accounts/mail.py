"""The two letters with a link that works once."""

from flask_babel import gettext as _

from regsys.accounts.kinds import Purpose
from regsys.accounts.models import User
from regsys.kernel.tokens import hash_token
from regsys.outbox.compose import Draft, compose
from regsys.web.urls import absolute, settings


def link_letter(user: User, purpose: Purpose, token: str) -> Draft:
    """Compose the letter that carries a link; it is filled in when sent, and stored sealed."""
    if purpose is Purpose.SIGN_IN:
        template, name = "accounts/mail_sign_in", "sign_in"
        subject = _("Sign in to %(site)s", site=settings().ORGANISATION_NAME)
        url = absolute("accounts.link", token=token)
    else:
        template, name = "accounts/mail_password", "password"
        subject = _("Set a new password for %(site)s", site=settings().ORGANISATION_NAME)
        url = absolute("accounts.new_password", token=token)
    return compose(
        template,
        # The key must not let the token be guessed, and each link has a letter of its own.
        key=f"link:{user.id}:{hash_token(token)}",
        kind=f"accounts.{purpose}",
        to=(user.name, user.email),
        subject=subject,
        links={name: url},
        context={"first_name": user.first_name},
    )
