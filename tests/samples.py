"""A sample address for every page: guards, foreign ids, axe and screenshots are tried on all of them.

An entry is the endpoint and a function from the demo world (tests/world.py) to a path. Each room has its own part.
"""

from collections.abc import Callable

from tests.world import World


def _work(w: World) -> str:
    """Return the workspace of the event."""
    return f"/organize/events/{w.event.id}"


def _person(w: World) -> str:
    """Return the organizer's page of one registration."""
    return f"{_work(w)}/registrations/{w.registration.id}"


def _application(w: World) -> str:
    """Return the reviewers' page of one application."""
    return f"/organize/events/{w.call.id}/applications/{w.application.id}"


SAMPLES: dict[str, Callable[[World], str]] = {
    # content
    "content.home": lambda w: "/",
    "content.page": lambda w: f"/pages/{w.page.slug}",
    "content.news": lambda w: "/news",
    "content.news_item": lambda w: f"/news/{w.news_item.slug}",
    "content.contact": lambda w: "/contact",
    "content.thanks": lambda w: "/contact/thanks",
    "content.logo": lambda w: "/logo",
    "content.robots": lambda w: "/robots.txt",
    "content.sitemap": lambda w: "/sitemap.xml",
    "content_organizer.pages": lambda w: "/organize/pages",
    "content_organizer.new_page": lambda w: "/organize/pages/new",
    "content_organizer.edit_page": lambda w: f"/organize/pages/{w.page.id}",
    "content_organizer.news": lambda w: "/organize/news",
    "content_organizer.new_news": lambda w: "/organize/news/new",
    "content_organizer.edit_news": lambda w: f"/organize/news/{w.news_item.id}",
    "content_organizer.inquiries": lambda w: "/organize/inquiries",
    "content_organizer.inquiry": lambda w: f"/organize/inquiries/{w.inquiry.id}",
    # events
    "events.catalogue": lambda w: "/events",
    "events.catalogue_ics": lambda w: "/events.ics",
    "events.groups": lambda w: "/groups",
    "events.code": lambda w: "/code",
    "events.show": lambda w: f"/events/{w.event.slug}",
    "events.show_ics": lambda w: f"/events/{w.event.slug}.ics",
    "events_organizer.new": lambda w: "/organize/events/new",
    "events_organizer.copy": lambda w: f"/organize/events/{w.event.id}/copy",
    "events_organizer.edit": lambda w: f"/organize/events/{w.event.id}/edit",
    "events_organizer.schedule": lambda w: f"/organize/events/{w.event.id}/schedule",
    "events_organizer.tickets": lambda w: f"/organize/events/{w.event.id}/tickets",
    "events_organizer.options": lambda w: f"/organize/events/{w.with_dinner.id}/options",
    "events_organizer.refunds": lambda w: f"/organize/events/{w.event.id}/refunds",
    "events_organizer.leaders": lambda w: f"/organize/events/{w.event.id}/leaders",
    "events_organizer.preview": lambda w: f"/organize/events/{w.event.id}/preview",
    "events_organizer.page": lambda w: f"/organize/events/{w.event.id}/page",
    "events_organizer.all_leaders": lambda w: "/organize/leaders",
    "events_organizer.new_leader": lambda w: "/organize/leaders/new",
    "events_organizer.edit_leader": lambda w: f"/organize/leaders/{w.leader.id}",
    "events_organizer.venues": lambda w: "/organize/venues",
    "events_organizer.new_venue": lambda w: "/organize/venues/new",
    "events_organizer.edit_venue": lambda w: f"/organize/venues/{w.venue.id}",
    # questions
    "questions_organizer.questions": lambda w: f"/organize/events/{w.event.id}/questions",
    "questions_organizer.new_question": lambda w: f"/organize/events/{w.event.id}/questions/new",
    "questions_organizer.edit_question": lambda w: (
        f"/organize/events/{w.event.id}/questions/agrees_confidentiality"
    ),
    # accounts
    "accounts.sign_in": lambda w: "/signin",
    "accounts.sent": lambda w: "/signin/sent",
    "accounts.link": lambda w: f"/signin/link?token={w.sign_in_token}",
    "accounts.forgot": lambda w: "/signin/password/forgot",
    "accounts.new_password": lambda w: f"/signin/password/new?token={w.password_token}",
    "accounts.account": lambda w: "/account",
    "accounts_organizer.listed": lambda w: "/organize/people",
    "accounts_organizer.add": lambda w: "/organize/people/add",
    "accounts_organizer.one": lambda w: f"/organize/people/{w.user_with('registrar').id}",
    # members
    "members.ask": lambda w: f"/members?next=/events/{w.event.slug}",
    "members.sent": lambda w: "/members/sent",
    "members.link": lambda w: f"/members/link?token={w.member_token}",
    "members_organizer.listed": lambda w: "/organize/members?show=all",
    "members_organizer.export_csv": lambda w: "/organize/members.csv",
    "members_organizer.upload": lambda w: "/organize/members/upload",
    "members_organizer.preview": lambda w: f"/organize/members/uploads/{w.member_upload.id}",
    # registration
    "registration.register": lambda w: f"/events/{w.event.slug}/register",
    "registration.order": lambda w: f"/o/{w.order.token}",
    "registration.order_decline": lambda w: f"/o/{w.offered.token}/decline",
    "registration.attendee": lambda w: f"/r/{w.registration.token}",
    "registration.calendar": lambda w: f"/r/{w.registration.token}/calendar.ics",
    "registration.hand_over": lambda w: f"/r/{w.registration.token}/hand-over",
    "registration.order_hand_over": lambda w: (
        f"/o/{w.order.token}/hand-over?who={w.registration.id}"
    ),
    "registration.take_over": lambda w: f"/h/{w.hand_over.token}",
    "registration_organizer.hand_overs": lambda w: f"{_work(w)}/registrations/hand-overs",
    "registration.cart": lambda w: "/cart",
    "registration.go_on": lambda w: "/cart/next",
    "registration.person": lambda w: "/cart/people/2",
    "registration.answers": lambda w: "/cart/answers/1",
    "registration.review": lambda w: "/cart/review",
    "registration.options": lambda w: "/cart/options",
    "registration.own_options": lambda w: f"/r/{w.chooser.token}/options",
    "registration.order_options": lambda w: f"/o/{w.offered.token}/options",
    "registration_organizer.add": lambda w: f"{_work(w)}/registrations/add",
    "registration_organizer.minimum": lambda w: f"{_work(w)}/registrations/minimum",
    "registration_organizer.contact": lambda w: f"{_person(w)}/contact",
    "registration_organizer.hand_over_for": lambda w: f"{_person(w)}/hand-over",
    "registration_organizer.answer_for": lambda w: f"{_person(w)}/answers",
    "registration_organizer.note": lambda w: f"{_person(w)}/note",
    "registration_organizer.refuse_proof": lambda w: (
        f"/organize/events/{w.trainee.event_id}/registrations/{w.trainee.id}/proof/refuse"
    ),
    "registration_organizer.cancel": lambda w: (
        f"/organize/events/{w.unpaid.event_id}/registrations/{w.unpaid.id}/cancel"
    ),
    # discounts
    "discounts_organizer.prices": lambda w: f"{_work(w)}/prices",
    "discounts_organizer.new_code": lambda w: f"{_work(w)}/prices/codes/new",
    "discounts_organizer.edit_code": lambda w: (
        f"/organize/events/{w.code.events[0].id}/prices/codes/{w.code.id}"
    ),
    "reports_organizer.code_uses": lambda w: (
        f"/organize/events/{w.code.events[0].id}/prices/codes/{w.code.id}/uses"
    ),
    # applications
    "applications.apply": lambda w: f"/events/{w.call.slug}/apply",
    "applications.sent": lambda w: f"/events/{w.call.slug}/apply/sent",
    "applications.resume": lambda w: f"/a/draft/{w.draft.token}",
    "applications.status": lambda w: f"/a/{w.application.token}",
    "applications.edit": lambda w: f"/a/{w.application.token}/edit",
    "applications.withdraw": lambda w: f"/a/{w.application.token}/withdraw",
    "applications_organizer.desks": lambda w: "/organize/applications",
    "applications_organizer.listed": lambda w: f"/organize/events/{w.call.id}/applications",
    "applications_organizer.one": _application,
    "applications_organizer.withdraw_for": lambda w: f"{_application(w)}/withdraw",
    "applications_organizer.attest": lambda w: f"{_application(w)}/attest",
    "applications_organizer.decide": lambda w: (
        f"/organize/events/{w.call.id}/applications/decide?decision=ask&id={w.application.id}"
    ),
    "applications_organizer.terms": lambda w: f"/organize/events/{w.call.id}/applications/terms",
    "applications_leader.listed": lambda w: f"/lead/{w.talk.event_id}/asked",
    "applications_leader.one": lambda w: f"/lead/{w.talk.event_id}/asked/{w.talk.id}",
    # waitlist
    "waitlist.join": lambda w: f"/events/{w.full_event.slug}/waitlist",
    "waitlist.own": lambda w: f"/w/{w.waiting.token}",
    "waitlist.offer": lambda w: f"/w/offer/{w.waiting_offer.token}",
    "waitlist_organizer.line": lambda w: f"/organize/events/{w.waiting.event_id}/waitlist",
    "waitlist_organizer.rule": lambda w: f"{_work(w)}/waitlist/settings",
    "waitlist_organizer.skip": lambda w: (
        f"/organize/events/{w.waiting.event_id}/waitlist/{w.waiting.id}/skip"
    ),
    "waitlist_organizer.remove": lambda w: (
        f"/organize/events/{w.waiting.event_id}/waitlist/{w.waiting.id}/remove"
    ),
    # hosts
    "hosts.ask": lambda w: "/events/on-the-road-fernhollow/seat",
    "hosts.asked": lambda w: "/events/on-the-road-fernhollow/seat/asked",
    "hosts_coordinator.home": lambda w: "/host",
    "hosts_coordinator.seats": lambda w: f"/host/{w.host.event_id}",
    "hosts_coordinator.swap": lambda w: f"/host/{w.host.event_id}/seats/{w.seat.id}/swap",
    "hosts_organizer.host": lambda w: f"/organize/events/{w.host.event_id}/host",
    # aid
    "aid.ask": lambda w: f"/r/{w.asker.token}/help",
    "aid.before_paying": lambda w: f"/o/{w.paid_by_other.token}/help",
    "aid_organizer.requests": lambda w: "/organize/help",
    "aid_organizer.one": lambda w: f"/organize/help/{w.aid_request.id}",
    "aid_organizer.funds": lambda w: "/organize/help/funds",
    "aid_organizer.new_fund": lambda w: "/organize/help/funds/new",
    "aid_organizer.edit_fund": lambda w: f"/organize/help/funds/{w.aid_request.fund_id}",
    # payments
    "payments.paid": lambda w: f"/o/{w.order.token}/paid?session_id={w.attempt.session_id}",
    "payments.cancel": lambda w: f"/o/{w.order.token}/cancel",
    "payments.give_up": lambda w: f"/r/{w.registration.token}/cancel",
    "payments.shared": lambda w: f"/b/{w.shared.share_token}",
    "payments.shared_paid": lambda w: (
        f"/b/{w.shared.share_token}/paid?session_id={w.shared_attempt.session_id}"
    ),
    "payments.move": lambda w: f"/r/{w.registration.token}/move",
    "payments.order_move": lambda w: f"/o/{w.order.token}/move?who={w.registration.id}",
    "payments_organizer.move_person": lambda w: f"{_person(w)}/move",
    "billing.document_pdf": lambda w: f"/o/{w.order.token}/documents/{w.receipt.id}.pdf",
    "billing.receipt_pdf": lambda w: f"/o/{w.order.token}/receipt.pdf",
    "billing.anew": lambda w: f"/o/{w.order.token}/documents/{w.receipt.id}/anew",
    "billing.ask": lambda w: f"/o/{w.unpaid_order.token}/invoice",
    "billing.invoice": lambda w: f"/i/{w.invoice.token}",
    "billing.invoice_pdf": lambda w: f"/i/{w.invoice.token}/invoice.pdf",
    "billing.paid": lambda w: (
        f"/i/{w.invoice.token}/paid?session_id={w.invoice_attempt.session_id}"
    ),
    "billing_organizer.invoices": lambda w: "/organize/invoices",
    "billing_organizer.one_invoice": lambda w: f"/organize/invoices/{w.invoice.id}",
    "billing_organizer.cancel_invoice": lambda w: f"/organize/invoices/{w.invoice.id}/cancel",
    "billing_organizer.write_off": lambda w: f"/organize/invoices/{w.invoice.id}/write-off",
    "billing_organizer.invoice_anew": lambda w: f"/organize/invoices/{w.invoice.id}/anew",
    "billing_organizer.received": lambda w: f"/organize/orders/{w.invoice.order_id}/received",
    "billing_organizer.papers": lambda w: "/organize/papers",
    "billing_organizer.paper_anew": lambda w: f"/organize/papers/{w.receipt.id}/anew",
    "billing_organizer.paper_pdf": lambda w: f"/organize/papers/{w.receipt.id}.pdf",
    "payments_organizer.money": lambda w: "/organize/money",
    "payments_organizer.refund_preview": lambda w: (
        f"/organize/payments/{w.problem_payment.id}/refund"
    ),
    "payments_organizer.give_back": lambda w: f"/organize/payments/{w.card_payment.id}/back",
    "payments_organizer.by_hand": lambda w: f"/organize/payments/{w.card_payment.id}/by-hand",
    "payments_organizer.give_person_back": lambda w: f"{_person(w)}/refund",
    "payments_organizer.cancel_person": lambda w: f"{_person(w)}/cancel-paid",
    "payments_organizer.call_off": lambda w: f"{_work(w)}/call-off",
    "payments_organizer.calling_off": lambda w: (
        f"/organize/events/{w.called_off.event_id}/calling-off"
    ),
    # outbox
    "outbox.reader": lambda w: "/outbox",
    "outbox.letter": lambda w: f"/outbox/{w.message_id}",
    "outbox.letter_html": lambda w: f"/outbox/{w.message_id}/html",
    "outbox.attachment": lambda w: f"/outbox/{w.message_id}/attachments/0",
    "outbox_organizer.messages": lambda w: "/organize/messages",
    "outbox_organizer.message": lambda w: f"/organize/messages/{w.message_id}",
    "outbox_organizer.message_html": lambda w: f"/organize/messages/{w.message_id}/html",
    # leaders
    "leaders_leader.home": lambda w: "/lead",
    "leaders_leader.roster": lambda w: f"/lead/{w.led_event.id}",
    "leaders_leader.roster_pdf": lambda w: f"/lead/{w.led_event.id}/roster.pdf",
    # reports
    "reports_organizer.home": lambda w: "/organize",
    "reports_organizer.events": lambda w: "/organize/events",
    "reports_organizer.event": _work,
    "reports_organizer.messages": lambda w: f"{_work(w)}/messages",
    "reports_organizer.export_csv": lambda w: f"{_work(w)}/export.csv",
    "reports_organizer.export_xlsx": lambda w: f"{_work(w)}/export.xlsx",
    "reports_organizer.sheet_csv": lambda w: f"/organize/events/{w.call.id}/files/applications.csv",
    "reports_organizer.sheet_xlsx": lambda w: f"{_work(w)}/files/waiting-list.xlsx",
    "reports_organizer.files": lambda w: f"{_work(w)}/files",
    "reports_organizer.badges_pdf": lambda w: f"{_work(w)}/badges.pdf",
    "reports_organizer.registrations": lambda w: "/organize/registrations",
    "reports_organizer.registration": _person,
    "reports_organizer.export_all_csv": lambda w: "/organize/registrations/export.csv",
    "reports_organizer.export_all_xlsx": lambda w: "/organize/registrations/export.xlsx",
    "reports_organizer.audit": lambda w: "/organize/audit",
    "reports_organizer.event_log": lambda w: f"{_work(w)}/log",
    "reports_organizer.jobs": lambda w: "/organize/jobs",
    "reports_organizer.treasurer": lambda w: "/organize/treasurer",
    "reports_organizer.money_csv": lambda w: "/organize/treasurer/payments.csv",
    "reports_organizer.money_xlsx": lambda w: "/organize/treasurer/payments.xlsx",
    "reports_organizer.papers_csv": lambda w: "/organize/treasurer/papers.csv",
    "reports_organizer.credits": lambda w: "/organize/treasurer/credits?show=all",
    "reports_organizer.end_credit": lambda w: f"/organize/treasurer/credits/{w.credit}/end",
    "reports_organizer.credits_csv": lambda w: "/organize/treasurer/credits.csv",
    "reports_organizer.credits_xlsx": lambda w: "/organize/treasurer/credits.xlsx",
    "reports_organizer.papers_xlsx": lambda w: "/organize/treasurer/papers.xlsx",
    # web
    "web.healthz": lambda w: "/healthz",
    "web.readyz": lambda w: "/readyz",
}
