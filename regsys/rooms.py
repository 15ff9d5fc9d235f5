"""The rooms from the ground up: each may import only rooms named before it."""

FLOORS: tuple[str, ...] = (
    "kernel",
    "web",
    "audit",
    "jobs",
    "outbox",
    "accounts",
    "members",
    "capacity",
    "policies",
    "events",
    "questions",
    "content",
    "discounts",
    "ledger",
    "registration",
    "pathway",
    "applications",
    "waitlist",
    "hosts",
    "aid",
    "payments",
    "billing",
    "leaders",
    "reports",
    "demo",
)

# The stand-in for Stripe stands apart: it imports kernel and web, and nothing imports it.
APART: tuple[str, ...] = ("sandbox",)
