"""A sample address for every page: guards, foreign ids, axe and screenshots are tried on all of them.

An entry is the endpoint and a function from the demo world (tests/world.py) to a path. Each room has its own part.
"""

from collections.abc import Callable

from tests.world import World

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
    "events.show": lambda w: f"/events/{w.event.slug}",
    "events.show_ics": lambda w: f"/events/{w.event.slug}.ics",
    # accounts
    "accounts.sign_in": lambda w: "/signin",
    "accounts.sent": lambda w: "/signin/sent",
    "accounts.link": lambda w: f"/signin/link?token={w.sign_in_token}",
    "accounts.forgot": lambda w: "/signin/password/forgot",
    "accounts.new_password": lambda w: f"/signin/password/new?token={w.password_token}",
    "accounts.account": lambda w: "/account",
    # registration
    "registration.register": lambda w: f"/events/{w.event.slug}/register",
    "registration.order": lambda w: f"/o/{w.order.token}",
    "registration.attendee": lambda w: f"/r/{w.registration.token}",
    # payments
    "payments.paid": lambda w: f"/o/{w.order.token}/paid?session_id={w.attempt.session_id}",
    "payments_organizer.money": lambda w: "/organize/money",
    "payments_organizer.refund_preview": lambda w: (
        f"/organize/payments/{w.problem_payment.id}/refund"
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
    # reports
    # web
    "web.healthz": lambda w: "/healthz",
    "web.readyz": lambda w: "/readyz",
}
