"""The letters about a trainee's word for their price."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.kernel.money import show
from regsys.registration.mail.letters import send_one, send_to_payer
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState as S
from regsys.web import html


def send_proof_refused(
    r: Registration,
    *,
    reason: str,
    more: int,
    until: datetime | None,
    ends: datetime | None = None,
    now: datetime,
) -> None:
    """Tell a trainee that what they said is not enough, and the payer what is to be paid by when (minor units).

    `ends`: when the place is let go if that and the rest of a deposit are not paid; None: it is kept.
    """
    proof, zone = r.proof or {}, r.event.time_zone
    about: dict[str, Any] = {
        "reason": reason,
        "said": proof.get("said", ""),
        "more": show(more, r.event.currency) if more else "",
        "until": html.deadline(until, zone) if until else "",
        "end": html.deadline(ends, zone) if ends else "",
        "waits": r.state is S.AWAITING_PAYMENT,
    }
    key = f"proof-refused:{r.id}:{int(now.timestamp())}"
    if not _pays(r):
        subject = _("About your price: %(title)s", title=r.event.title)
        send_one("proof_refused", r, key=key, subject=subject, context=about, now=now)
    if more:
        amount = about["more"]
        subject = _("%(amount)s more to pay: %(title)s", amount=amount, title=r.event.title)
        _send_payer("proof_owed", r, key=f"{key}:payer", subject=subject, context=about, now=now)
    elif _pays(r):
        subject = _("About your price: %(title)s", title=r.event.title)
        send_one("proof_refused", r, key=key, subject=subject, context=about, now=now)


def send_proof_accepted(r: Registration, *, less: int, over: int, now: datetime) -> None:
    """Tell the payer that the price for trainees stands after all, and what is `over` then (minor units)."""
    subject = _("The price for people in training stands: %(title)s", title=r.event.title)
    about = {
        "less": show(less, r.event.currency),
        "over": show(over, r.event.currency) if over else "",
    }
    key = f"proof-accepted:{r.id}:{int(now.timestamp())}"
    _send_payer("proof_accepted", r, key=key, subject=subject, context=about, now=now)


def _pays(r: Registration) -> bool:
    return r.order.email.casefold() == r.email_key


def _send_payer(
    kind: str, r: Registration, *, key: str, subject: str, context: dict[str, Any], now: datetime
) -> None:
    about = {"r": r, "event": r.event, "own": _pays(r), **context}
    send_to_payer(
        f"registration/mail_{kind}", r.order, key=key, subject=subject, context=about, now=now,
        registration_id=r.id, event_id=r.event_id,
    )  # fmt: skip
