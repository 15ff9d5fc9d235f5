"""The words in which organizers' pages speak of states, deeds and pace."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.audit.models import AuditEntry
from regsys.events.states import EventState
from regsys.events.words import COUNTS
from regsys.kernel.text import N_
from regsys.ledger.models import Method
from regsys.ledger.rules import METHOD_WORDS, MoneyState
from regsys.outbox.states import MessageState
from regsys.registration.states import RegistrationState
from regsys.reports.details import deed_detail
from regsys.reports.queries import EventRow, Row
from regsys.reports.queries.credits import Standing
from regsys.reports.queries.treasury import Treasury
from regsys.reports.rules import Bar, bars
from regsys.web.html import day


class Badge(NamedTuple):
    """What a state is called, and how its mark looks."""

    word: str
    shape: str = ""
    tone: str = ""


STATES: Mapping[RegistrationState, Badge] = {
    RegistrationState.CONFIRMED: Badge(N_("Confirmed"), "full", "good"),
    RegistrationState.AWAITING_PAYMENT: Badge(N_("Held, unpaid"), "held", "warn"),
    RegistrationState.DRAFT: Badge(N_("In a cart"), "held"),
    RegistrationState.CANCELLED: Badge(N_("Cancelled"), "over"),
    RegistrationState.TRANSFERRED: Badge(N_("Handed over or moved"), "over"),
    RegistrationState.EXPIRED: Badge(N_("Let go"), "over"),
}

EVENT_STATES: Mapping[EventState, Badge] = {
    EventState.DRAFT: Badge(N_("Draft")),
    EventState.PUBLISHED: Badge(N_("Published"), "full", "good"),
    EventState.CLOSED: Badge(N_("Closed"), "full"),
    EventState.CANCELLED: Badge(N_("Cancelled"), "over"),
}

MONEY: Mapping[MoneyState, Badge] = {
    MoneyState.NOTHING_DUE: Badge(N_("Nothing due")),
    MoneyState.UNPAID: Badge(N_("Unpaid"), "held", "warn"),
    MoneyState.PROCESSING: Badge(N_("Processing"), "held"),
    MoneyState.DEPOSIT_PAID: Badge(N_("Deposit paid"), "held"),
    MoneyState.PAID: Badge(N_("Paid"), "full", "good"),
    MoneyState.OVERPAID: Badge(N_("Overpaid"), "full", "warn"),
    MoneyState.PARTLY_REFUNDED: Badge(N_("Partly refunded"), "full"),
    MoneyState.REFUNDED: Badge(N_("Refunded"), "over"),
    MoneyState.DISPUTED: Badge(N_("Disputed"), "full", "bad"),
}

LETTERS: Mapping[MessageState, Badge] = {
    MessageState.QUEUED: Badge(N_("Waiting"), "held"),
    MessageState.SENDING: Badge(N_("Being sent"), "held"),
    MessageState.SENT: Badge(N_("Sent"), "full", "good"),
    MessageState.UNCERTAIN: Badge(N_("Uncertain"), "held", "warn"),
    MessageState.FAILED: Badge(N_("Failed"), "over", "bad"),
}

# What stands beside a credit: word, shape and tone.
CREDITS: Mapping[Standing, Badge] = {
    Standing.OPEN: Badge(N_("Open"), "held"),
    Standing.USED_UP: Badge(N_("Used up"), "full", "good"),
    Standing.EXPIRED: Badge(N_("Expired"), "over"),
    Standing.ENDED: Badge(N_("Ended"), "over"),
}

# What an entry of the audit says; one that is not here shows its own name.
DEEDS: Mapping[str, str] = {
    "account.added": N_("added somebody who signs in"),
    "account.role_given": N_("let somebody do more here"),
    "account.role_taken": N_("let somebody do less here"),
    "account.password_set": N_("set a new password"),
    "account.let_in": N_("let somebody sign in again"),
    "account.role_ended": N_("ended a role"),
    "account.shut_out": N_("let somebody sign in no longer"),
    "account.signed_in": N_("signed in"),
    "application.accepted": N_("accepted the application"),
    "application.changed": N_("changed the application"),
    "application.declined": N_("declined the application"),
    "application.held_from_list": N_("held a place from the waiting list"),
    "application.held_again": N_("held a place again"),
    "application.lapsed": N_("told the applicant that the place was let go"),
    "application.reminded": N_("reminded the applicant of the place"),
    "application.reviewed": N_("wrote a review"),
    "application.submitted": N_("sent the application"),
    "application.under_review": N_("took the application up"),
    "application.withdrawn": N_("withdrew the application"),
    "answers.forgotten": N_("deleted private answers whose time was over"),
    "answers.read": N_("read the private answers"),
    "credit.attested": N_("attested past credit"),
    "credit.withdrawn": N_("took past credit back"),
    "event.cancelled": N_("cancelled the event"),
    "event.changed": N_("changed the event"),
    "event.closed": N_("closed registration"),
    "event.copied": N_("made the event as a copy"),
    "event.created": N_("made the event"),
    "event.hidden": N_("took the event back to a draft"),
    "event.key_renewed": N_("made a new private link"),
    "event.leaders_set": N_("changed who leads"),
    "event.places_set": N_("changed places and prices"),
    "event.private_answers_deleted": N_("deleted private answers whose time was over"),
    "event.published": N_("published the event"),
    "event.reopened": N_("opened registration again"),
    "event.refunds_set": N_("changed the refund rules"),
    "event.schedule_set": N_("changed the schedule"),
    "event.prerequisites_set": N_("changed what the event builds on"),
    "event.people_told_of_minimum": N_("told the people that it is not sure yet"),
    "event.runs": N_("decided that it takes place"),
    "event.waiting_set": N_("changed how the waiting list works"),
    "event.terms_set": N_("changed how people apply"),
    "order.people_asked_first": N_("let the others be asked first"),
    "aid_request.words_deleted": N_("deleted what was written for the committee"),
    "aid_request.asked": N_("asked for help with the fee"),
    "aid_request.awarded": N_("gave help with the fee"),
    "aid_request.moved": N_("took help with the fee along to another event"),
    "aid_request.declined": N_("declined help with the fee"),
    "aid_request.returned": N_("returned help with the fee to its fund"),
    "aid_request.used": N_("used help with the fee"),
    "aid_request.withdrawn": N_("took back a request for help with the fee"),
    "fund.changed": N_("changed a fund"),
    "fund.made": N_("set up a fund"),
    "host.added": N_("gave the event a host"),
    "host.changed": N_("changed what was agreed with the host"),
    "host.invited": N_("sent the coordinator their link"),
    "host.reminded": N_("reminded the coordinator of seats without a name"),
    "host.seat_approved": N_("gave a seat to somebody who asked"),
    "host.seat_asked": N_("asked the host for a seat"),
    "host.seat_declined": N_("told somebody that there is no seat for them"),
    "host.seat_emptied": N_("took a name off a seat"),
    "host.seat_named": N_("put a name on a seat"),
    "host.seat_swapped": N_("swapped the name of a seat"),
    "host.seats_kept": N_("changed how many places are kept for seats"),
    "inquiry.noted": N_("took care of an inquiry"),
    "job.revived": N_("set work going again"),
    "leader.added": N_("added a leader"),
    "leader.changed": N_("changed what is known of a leader"),
    "members.exported": N_("exported the list of members"),
    "members.list_taken_over": N_("took a list of members over"),
    "message.retried": N_("sent a letter once more"),
    "message.settled": N_("noted that a letter has arrived"),
    "news.changed": N_("changed the news"),
    "news.created": N_("wrote news"),
    "order.agreed_sum_set": N_("set what was agreed for all seats"),
    "order.opened_for_host": N_("opened the order of the host"),
    "order.placed": N_("placed the order"),
    "order.code_used": N_("used a code"),
    "order.code_dropped": N_("took the code off"),
    "order.options_chosen": N_("chose what comes with the place"),
    "event.options_set": N_("changed rooms and meals"),
    "code.made": N_("made a code"),
    "code.changed": N_("changed a code"),
    "code.ended": N_("ended a code"),
    "order.places_held": N_("held places"),
    "page.changed": N_("changed a page"),
    "page.created": N_("wrote a page"),
    "page.moved": N_("moved a page in the menu"),
    "payment.abandoned": N_("gave up a payment that Stripe does not know"),
    "payment.disputed": N_("noted that a payment is disputed"),
    "payment.expired": N_("noted that a payment ended unpaid"),
    "payment.failed": N_("noted that the bank said no"),
    "payment.received": N_("noted a payment"),
    "payment.set_aside": N_("set a payment aside until somebody has looked"),
    "payments.exported": N_("exported payments and refunds"),
    "papers.exported": N_("exported receipts, invoices and credit notes"),
    "document.receipt": N_("wrote a receipt"),
    "document.invoice": N_("wrote an invoice"),
    "invoice.cancelled": N_("took an invoice back"),
    "invoice.reminded": N_("reminded of an invoice"),
    "invoice.paid": N_("noted that an invoice is paid"),
    "invoice.reopened": N_("opened an invoice again, because its money never came"),
    "invoice.sent": N_("sent an invoice"),
    "invoice.written_off": N_("wrote an invoice off"),
    "document.credit_note": N_("wrote a credit note"),
    "payment.taken_back": N_("took back what was written down about money by mistake"),
    "question.added": N_("added a question"),
    "question.changed": N_("changed a question"),
    "question.moved": N_("moved a question"),
    "question.retired": N_("took a question off the form"),
    "refund.by_hand": N_("noted that money went back by hand"),
    "refund.failed": N_("noted that money could not be given back"),
    "refund.imported": N_("noted a refund that was made at Stripe"),
    "refund.pending": N_("noted that money is on its way back"),
    "refund.requested": N_("asked for money to be given back"),
    "refund.submitted": N_("asked Stripe to give money back"),
    "refund.succeeded": N_("noted that money was given back"),
    "refund.taken_back": N_("took a note of money that went back by hand away again"),
    "registration.answered": N_("answered the form"),
    "registration.answers_changed": N_("changed answers"),
    "registration.awaiting_payment": N_("took a place that is still to be paid"),
    "registration.cancelled": N_("cancelled the place"),
    "registration.confirmation_resent": N_("sent the confirmation once more"),
    "registration.confirmed": N_("confirmed the place"),
    "registration.contact_changed": N_("changed the contact data"),
    "registration.drafted": N_("put a place into the cart"),
    "registration.expired": N_("let the place go"),
    "registration.group_left": N_("wrote down another workplace than that of the code’s group"),
    "registration.proof_accepted": N_("accepted what was shown for the price"),
    "registration.proof_refused": N_("did not accept what was shown for the price"),
    "registration.credit_given": N_("gave a credit for what was kept"),
    "registration.credit_returned": N_("let what a credit paid count again"),
    "registration.kept_given_up": N_("gave up what was kept, as its money never came"),
    "registration.credit_ended": N_("ended a credit"),
    "registration.credit_reopened": N_("let a credit count again"),
    "credits.exported": N_("exported the list of credits"),
    "registration.note_changed": N_("changed the note"),
    "registration.transferred": N_("handed the place over"),
    "registrations.exported": N_("exported the list"),
    "sheet.exported": N_("exported a list"),
    "roster.exported": N_("took the roster out"),
    "registration.hand_over_asked": N_("asked the payer to hand the place over"),
    "registration.hand_over_begun": N_("began to hand the place over"),
    "registration.hand_over_declined": N_("said no to handing the place over"),
    "registration.hand_over_withdrawn": N_("took the handing over back"),
    "registration.handed_over_for": N_("handed the place over for somebody"),
    "registration.move_asked": N_("asked the payer to move to another event"),
    "registration.move_begun": N_("began to move to another event"),
    "order.payment_shared": N_("made a link for somebody else to pay"),
    "order.sharing_stopped": N_("took the link for somebody else back"),
    "refund.promise_kept": N_("gave back what was promised when the place was taken again"),
    "roster.mailed": N_("mailed the roster"),
    "roster.opened": N_("opened the roster"),
    "venue.added": N_("added a venue"),
    "venue.changed": N_("changed a venue"),
    "waitlist.joined": N_("came onto the waiting list"),
    "waitlist.lapsed": N_("noted that an offered place was not taken"),
    "waitlist.left": N_("left the waiting list"),
    "waitlist.moved": N_("moved somebody on the waiting list"),
    "waitlist.offered": N_("offered a place from the waiting list"),
    "waitlist.round": N_("looked whose turn on the waiting list it is"),
    "waitlist.skipped": N_("passed somebody over on the waiting list"),
    "waitlist.taken": N_("took a place from the waiting list"),
    "waitlist.unskipped": N_("asks somebody on the waiting list again"),
}


def deed(entry: AuditEntry) -> str:
    """Return what was done, in words."""
    known = DEEDS.get(entry.action)
    return _(known) if known else entry.action.replace(".", ": ").replace("_", " ")


def chosen_words(row: Row) -> str:
    """Return what somebody chose with their place, and with whom they would share it."""
    parts = [
        _("%(name)s, would share with %(wish)s", name=name, wish=wish) if wish else name
        for name, wish in row.chosen.values()
    ]
    return "; ".join(parts)


def state_options() -> list[tuple[str, str]]:
    """Return what a list of people can be narrowed to, for a menu."""
    states = [(s.value, _(badge.word)) for s, badge in STATES.items()]
    return [("", _("With a place")), *states, ("all", _("Everything"))]


def state_badge(state: RegistrationState) -> Badge:
    """Return how a registration's state is shown."""
    return STATES[state]


def badges(row: Row) -> list[Badge]:
    """Return how a registration stands: its state, and its money where that says more."""
    money = MONEY[row.balance.state]
    says_more = row.balance.state is not MoneyState.NOTHING_DUE and (
        row.state is RegistrationState.CONFIRMED or row.paid
    )
    return [STATES[row.state], money] if says_more else [STATES[row.state]]


def short_badges(row: Row) -> list[Badge]:
    """Return the same for a list, where "Paid" alone says that a place is confirmed."""
    paid = row.state is RegistrationState.CONFIRMED and row.balance.state is MoneyState.PAID
    return [MONEY[MoneyState.PAID]] if paid else badges(row)


def needs_words(count: int, name: str) -> str:
    """Return "Four things need you, Tilda"."""
    if not count:
        return _("Nothing needs you, %(name)s", name=name)
    if count == 1:
        return _("One thing needs you, %(name)s", name=name)
    word = _(COUNTS[count]) if count < len(COUNTS) else str(count)
    return _("%(count)s things need you, %(name)s", count=word, name=name)


def in_days(at: datetime, now: datetime, zone: str) -> str:
    """Return "in 2 days", counted by the calendar of a zone."""
    days = (at.astimezone(ZoneInfo(zone)).date() - now.astimezone(ZoneInfo(zone)).date()).days
    if days < 0:
        return ngettext("%(num)d day ago", "%(num)d days ago", -days)
    if days < 2:
        return _("tomorrow") if days else _("today")
    return ngettext("in %(num)d day", "in %(num)d days", days)


def event_badge(state: EventState) -> Badge:
    """Return how an event's state is shown."""
    return EVENT_STATES[state]


def money_badge(state: MoneyState) -> Badge:
    """Return how a balance is shown."""
    return MONEY[state]


def letter_badge(state: MessageState) -> Badge:
    """Return how a letter's state is shown."""
    return LETTERS[state]


def month_words(month: str) -> str:
    """Return "Feb 2027" for "2027-02"."""
    year, number = month.split("-")
    return str(format_date(date(int(year), int(number), 1), "LLL y", locale="en_US"))


def pictures(found: Treasury) -> dict[str, list[Bar]]:
    """Return, by currency, the bars of the last twelve months in which money moved, the oldest first."""
    drawn = {}
    for currency in sorted({key[1] for key in found.by_month}):
        months = [m for m in sorted(found.months) if (m, currency) in found.by_month][-12:]
        flows = [(m, found.by_month[m, currency]) for m in months]
        drawn[currency] = bars([(month_words(m), f.gross, f.refunded) for m, f in flows])
    return drawn


def method_words(method: Method) -> str:
    """Return how money came."""
    return _(METHOD_WORDS[method])


def pace_words(row: EventRow, now: datetime) -> str:
    """Return "4 in the last week", "full since 5 Feb 2027" or "none in the last 12 days"."""
    newest = row.people.newest
    if newest is None:
        return _("nobody yet")
    if row.places.left == 0:
        return _("full since %(day)s", day=day(newest, row.event.time_zone))
    if row.pace[-1]:
        return ngettext("%(num)d in the last week", "%(num)d in the last week", row.pace[-1])
    return ngettext(
        "none in the last %(num)d day", "none in the last %(num)d days", (now - newest).days
    )


HELPERS = (
    badges, chosen_words, deed, deed_detail, event_badge, in_days, letter_badge, method_words, money_badge,
    needs_words, pace_words, month_words, short_badges, state_badge, state_options,
)  # fmt: skip
