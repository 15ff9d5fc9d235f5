"""The questions of `regsys verify`: every row of an answer is a difference.

The SQL is the same on SQLite and PostgreSQL. `:now` is the product's time; a column `money_…` is an amount in minor
units of the column `currency`.
"""

from collections.abc import Sequence

from regsys.verify_aid import AID
from regsys.verify_check import Check
from regsys.verify_credit import CREDIT
from regsys.verify_papers import PAPERS
from regsys.verify_seats import SEATS

# A claim counts while nobody has released it and its end, if it has one, is to come.
LIVE = "c.released_at IS NULL AND (c.until IS NULL OR c.until > :now)"
COUNTED = "f.state <> 'failed'"
WHO = "r.code AS registration, e.title AS event"
OF = "JOIN event e ON e.id = r.event_id"
# What the product moved says how it stood afterwards; rows that were loaded from elsewhere had their letters there.
MOVED = "CAST(a.after AS TEXT) LIKE '%state%' AND a.subject_kind = 'registration'"
# What an order may owe although its places are confirmed: what is due later than a deposit, what was added to the
# price of a place with a day to pay it, and the fee of somebody who took a place over.
LATER = """
    SELECT r.order_id AS order_id, sum(CASE
        WHEN r.deposit IS NOT NULL AND c.cost > r.deposit THEN c.cost - r.deposit
        WHEN r.deposit IS NULL AND r.rest_at IS NOT NULL THEN c.cost ELSE c.fee END) AS later
    FROM registration r JOIN (
        SELECT l.registration_id, sum(l.amount) AS cost, sum(CASE WHEN h.id IS NOT NULL
            AND l.kind = 'other' AND l.amount > 0 THEN l.amount ELSE 0 END) AS fee
        FROM order_line l LEFT JOIN hand_over h ON h.successor_id = l.registration_id
        GROUP BY l.registration_id) c ON c.registration_id = r.id
    WHERE r.state = 'confirmed' GROUP BY r.order_id"""
LOOK = (
    "Open registration %(registration)s in the workspace, compare its history, and mend it by hand."
)

PLACES: Sequence[Check] = (
    Check(
        "no pool is sold beyond its size",
        f"""
        SELECT coalesce(e.title, p.name) AS event, p.name AS pool, s.size AS size, n.live AS live
        FROM pool p LEFT JOIN event e ON e.id = p.event_id
        JOIN (SELECT c.pool_id, count(*) AS live FROM claim c WHERE {LIVE} GROUP BY c.pool_id) n
          ON n.pool_id = p.id
        LEFT JOIN (SELECT pool_id, count(*) AS size FROM place GROUP BY pool_id) s ON s.pool_id = p.id
        WHERE p.sized AND n.live > coalesce(s.size, 0) ORDER BY p.id
        """,
        "'%(event)s' has sold %(live)s places of %(size)s in the pool '%(pool)s'.",
        "Raise the size of the pool, or find another date for the people who came last.",
    ),
    Check(
        "no place is held twice",
        """
        SELECT coalesce(e.title, p.name) AS event, p.name AS pool, c.number AS number, count(*) AS times
        FROM claim c JOIN pool p ON p.id = c.pool_id LEFT JOIN event e ON e.id = p.event_id
        WHERE c.released_at IS NULL AND c.number IS NOT NULL
        GROUP BY e.title, p.name, c.pool_id, c.number HAVING count(*) > 1 ORDER BY c.pool_id, c.number
        """,
        "Place %(number)s of the pool '%(pool)s' in '%(event)s' is held %(times)s times.",
        "The index uq_claim_live_place is missing: run `regsys check`, then move one person to a free place.",
    ),
    Check(
        "every held place exists and has a number",
        """
        SELECT coalesce(e.title, p.name) AS event, p.name AS pool, c.id AS claim, coalesce(c.number, 0) AS number
        FROM claim c JOIN pool p ON p.id = c.pool_id LEFT JOIN event e ON e.id = p.event_id
        LEFT JOIN place l ON l.pool_id = c.pool_id AND l.number = c.number
        WHERE c.released_at IS NULL AND p.sized AND l.number IS NULL ORDER BY c.id
        """,
        "Claim %(claim)s holds place %(number)s of the pool '%(pool)s' in '%(event)s', and there is no such place.",
        "Raise the size of the pool in the event's settings, so that everybody who has a place sits on one.",
    ),
    Check(
        "every confirmed person holds one place in each pool of their ticket",
        f"""
        SELECT {WHO}, p.name AS pool, coalesce(n.held, 0) AS held
        FROM registration r {OF}
        JOIN ticket_type_pool t ON t.ticket_type_id = r.ticket_type_id
        JOIN pool p ON p.id = t.pool_id
        LEFT JOIN (SELECT c.registration_id, c.pool_id, count(*) AS held FROM claim c
                   WHERE {LIVE} GROUP BY c.registration_id, c.pool_id) n
          ON n.registration_id = r.id AND n.pool_id = p.id
        WHERE r.state = 'confirmed' AND p.kind <> 'early' AND coalesce(n.held, 0) <> 1
        ORDER BY r.id, p.id
        """,
        "Registration %(registration)s in '%(event)s' is confirmed and holds %(held)s places in the pool "
        "'%(pool)s' instead of one.",
        LOOK,
    ),
    Check(
        "every open offer of a waiting list holds its places",
        f"""
        SELECT e.title AS event, w.first_name AS name, p.name AS pool, w.size AS size,
               coalesce(n.held, 0) AS held
        FROM waitlist_offer o JOIN waitlist_entry w ON w.id = o.entry_id
        JOIN event e ON e.id = w.event_id
        JOIN ticket_type_pool t ON t.ticket_type_id = o.ticket_type_id
        JOIN pool p ON p.id = t.pool_id
        LEFT JOIN (SELECT h.offer_id, c.pool_id, count(*) AS held FROM waitlist_place h
                   JOIN claim c ON c.id = h.claim_id WHERE {LIVE} GROUP BY h.offer_id, c.pool_id) n
          ON n.offer_id = o.id AND n.pool_id = p.id
        WHERE o.ended_at IS NULL AND o.until > :now AND coalesce(n.held, 0) <> w.size
        ORDER BY o.id, p.id
        """,
        "%(name)s was offered %(size)s places in '%(event)s', and %(held)s are held in the pool '%(pool)s'.",
        "Open the waiting list of the event, take the offer back by skipping them, and offer again by hand.",
    ),
    Check(
        "no confirmed place has an end",
        f"""
        SELECT {WHO}, p.name AS pool FROM registration r {OF}
        JOIN claim c ON c.registration_id = r.id JOIN pool p ON p.id = c.pool_id
        WHERE r.state = 'confirmed' AND c.released_at IS NULL AND c.until IS NOT NULL
        ORDER BY r.id, p.id
        """,
        "Registration %(registration)s in '%(event)s' is confirmed, and its place in the pool '%(pool)s' ends by "
        "itself.",
        LOOK,
    ),
    Check(
        "nobody who has left still holds a place",
        f"""
        SELECT {WHO}, r.state AS state, p.name AS pool FROM registration r {OF}
        JOIN claim c ON c.registration_id = r.id JOIN pool p ON p.id = c.pool_id
        WHERE r.state IN ('cancelled', 'transferred', 'expired') AND {LIVE} ORDER BY r.id, p.id
        """,
        "Registration %(registration)s in '%(event)s' is %(state)s and still holds a place in the pool '%(pool)s'.",
        "Nobody can take this place now. Write down the number and ask whoever runs this site to release the claim.",
    ),
    Check(
        "early places belong to early prices",
        f"""
        SELECT {WHO}, r.rate AS rate FROM registration r {OF}
        JOIN claim c ON c.registration_id = r.id JOIN pool p ON p.id = c.pool_id
        WHERE p.kind = 'early' AND {LIVE} AND r.rate <> 'early' ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' holds an early place and has the %(rate)s price.",
        "One early place too few is offered. Ask whoever runs this site to release that claim.",
    ),
    Check(
        "everybody holds what they chose with their place",
        f"""
        SELECT {WHO}, x.name AS name, coalesce(n.held, 0) AS held
        FROM registration r {OF} JOIN option_choice h ON h.registration_id = r.id
        JOIN event_option x ON x.id = h.option_id
        LEFT JOIN (SELECT c.registration_id, c.pool_id, count(*) AS held FROM claim c
                   WHERE {LIVE} GROUP BY c.registration_id, c.pool_id) n
          ON n.registration_id = r.id AND n.pool_id = x.pool_id
        WHERE r.state = 'confirmed' AND coalesce(n.held, 0) <> 1 ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' has chosen '%(name)s' and holds %(held)s of it.",
        "Look whether the house still has it for this person.",
    ),
    Check(
        "every code is used by those whose price it lowers",
        f"""
        SELECT {WHO}, d.code AS code, coalesce(n.held, 0) AS held
        FROM registration r {OF} JOIN discount_code d ON d.id = r.code_id
        LEFT JOIN (SELECT c.registration_id, c.pool_id, count(*) AS held FROM claim c
                   WHERE {LIVE} GROUP BY c.registration_id, c.pool_id) n
          ON n.registration_id = r.id AND n.pool_id = d.pool_id
        WHERE r.state = 'confirmed' AND coalesce(n.held, 0) <> 1 ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' has the code %(code)s and counts as %(held)s uses of it.",
        "The code can be used once too often. Look whether it should be ended.",
    ),
)

MONEY: Sequence[Check] = (
    Check(
        "the lines of every registration make its price",
        f"""
        SELECT {WHO}, o.code AS order_code, o.currency AS currency, r.price AS money_price,
               coalesce(n.places, 0) AS money_lines
        FROM registration r {OF} JOIN orders o ON o.id = r.order_id
        LEFT JOIN (SELECT l.registration_id,
                          sum(CASE WHEN l.kind IN ('kept', 'other') THEN 0 ELSE l.amount END) AS places,
                          sum(CASE WHEN l.kind = 'other' THEN 1 ELSE 0 END) AS others
                   FROM order_line l GROUP BY l.registration_id) n ON n.registration_id = r.id
        WHERE r.state IN ('awaiting_payment', 'confirmed') AND coalesce(n.others, 0) = 0
          AND coalesce(n.places, 0) <> r.price ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' costs %(money_price)s, and its lines in order %(order_code)s "
        "say %(money_lines)s.",
        "Compare with the confirmation that was mailed; then mend the line of the price.",
    ),
    Check(
        "what has ended costs nothing but what was kept",
        f"""
        SELECT {WHO}, o.code AS order_code, o.currency AS currency, r.state AS state, n.rest AS money_rest
        FROM registration r {OF} JOIN orders o ON o.id = r.order_id
        JOIN (SELECT l.registration_id, sum(l.amount) AS rest FROM order_line l WHERE l.kind <> 'kept'
              GROUP BY l.registration_id) n ON n.registration_id = r.id
        WHERE r.state IN ('cancelled', 'expired') AND n.rest <> 0 AND o.placed_at IS NOT NULL
        ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' is %(state)s, and order %(order_code)s still counts "
        "%(money_rest)s for it.",
        "A line that takes the price back is missing; the order asks for too much. Mend the line.",
    ),
    Check(
        "an order in which nobody has a place costs nothing but what was kept",
        """
        SELECT o.code AS order_code, o.currency AS currency, n.rest AS money_rest
        FROM orders o
        JOIN (SELECT l.order_id, sum(l.amount) AS rest FROM order_line l WHERE l.kind <> 'kept'
              GROUP BY l.order_id) n ON n.order_id = o.id
        WHERE o.placed_at IS NOT NULL AND o.source <> 'host' AND n.rest <> 0
          AND NOT EXISTS (SELECT 1 FROM registration r WHERE r.order_id = o.id
                          AND r.state IN ('draft', 'awaiting_payment', 'confirmed'))
        ORDER BY o.id
        """,
        "Nobody in order %(order_code)s has a place, and it still counts %(money_rest)s.",
        "A line that takes a price back is missing, or one too many puts it on. See its refunds, and mend the line.",
    ),
    Check(
        "every line belongs to a registration of its own order",
        f"""
        SELECT l.id AS line, o.code AS order_code, {WHO}
        FROM order_line l JOIN orders o ON o.id = l.order_id
        JOIN registration r ON r.id = l.registration_id {OF}
        WHERE r.order_id <> l.order_id ORDER BY l.id
        """,
        "Line %(line)s of order %(order_code)s is for registration %(registration)s in '%(event)s', which belongs to "
        "another order.",
        "Both orders add up wrongly. Move the line to the order of the registration.",
    ),
    Check(
        "every confirmed place that costs something is paid, or known to be open",
        f"""
        SELECT o.code AS order_code, o.currency AS currency, t.total AS money_total,
               coalesce(p.paid, 0) - coalesce(g.given, 0) AS money_net
        FROM orders o
        LEFT JOIN ({LATER}) w ON w.order_id = o.id
        JOIN (SELECT l.order_id, sum(l.amount) AS total FROM order_line l GROUP BY l.order_id) t
          ON t.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(amount) AS paid FROM payment WHERE problem IS NULL
                   GROUP BY order_id) p ON p.order_id = o.id
        LEFT JOIN (SELECT y.order_id, sum(f.amount) AS given FROM refund f
                   JOIN payment y ON y.id = f.payment_id
                   WHERE y.problem IS NULL AND {COUNTED} GROUP BY y.order_id) g ON g.order_id = o.id
        WHERE EXISTS (SELECT 1 FROM registration r WHERE r.order_id = o.id AND r.state = 'confirmed'
                      AND r.price > 0)
          AND NOT EXISTS (SELECT 1 FROM registration r WHERE r.order_id = o.id
                          AND r.state = 'awaiting_payment')
          AND NOT EXISTS (SELECT 1 FROM payment y WHERE y.order_id = o.id AND y.problem IS NOT NULL)
          AND EXISTS (SELECT 1 FROM payment_attempt a WHERE a.order_id = o.id)
          AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.order_id = o.id AND i.state = 'open')
          AND t.total - coalesce(w.later, 0) > coalesce(p.paid, 0) - coalesce(g.given, 0) ORDER BY o.id
        """,
        "Order %(order_code)s is confirmed and costs %(money_total)s, and only %(money_net)s of it are paid.",
        "Run `regsys reconcile`: a payment may be missing here. Else ask the payer for the rest.",
    ),
    Check(
        "whoever has paid has a place",
        f"""
        SELECT o.code AS order_code, o.currency AS currency, t.total AS money_total,
               p.paid - coalesce(g.given, 0) AS money_net
        FROM orders o
        JOIN (SELECT l.order_id, sum(l.amount) AS total FROM order_line l GROUP BY l.order_id) t
          ON t.order_id = o.id
        JOIN (SELECT order_id, sum(amount) AS paid FROM payment WHERE problem IS NULL GROUP BY order_id) p
          ON p.order_id = o.id
        LEFT JOIN (SELECT y.order_id, sum(f.amount) AS given FROM refund f
                   JOIN payment y ON y.id = f.payment_id
                   WHERE y.problem IS NULL AND {COUNTED} GROUP BY y.order_id) g ON g.order_id = o.id
        WHERE EXISTS (SELECT 1 FROM registration r WHERE r.order_id = o.id
                      AND r.state = 'awaiting_payment')
          AND t.total > 0 AND p.paid - coalesce(g.given, 0) >= t.total ORDER BY o.id
        """,
        "Order %(order_code)s costs %(money_total)s and %(money_net)s of it are paid, and somebody in it still waits "
        "for a place.",
        "Open the order under Money and press “Ask Stripe now”; if nothing moves, give the money back.",
    ),
    Check(
        "no payment gives back more than it brought",
        f"""
        SELECT o.code AS order_code, y.id AS payment, y.currency AS currency, y.amount AS money_paid,
               sum(f.amount) AS money_given
        FROM refund f JOIN payment y ON y.id = f.payment_id JOIN orders o ON o.id = y.order_id
        WHERE {COUNTED} GROUP BY o.code, y.id, y.currency, y.amount HAVING sum(f.amount) > y.amount
        ORDER BY y.id
        """,
        "Payment %(payment)s of order %(order_code)s brought %(money_paid)s, and %(money_given)s are given back.",
        "Look at the payment in Stripe's dashboard, and run `regsys reconcile` to see which refund is not there.",
    ),
    Check(
        "everything of a payment is in its currency",
        """
        SELECT o.code AS order_code, y.id AS payment, y.currency AS paid_in, o.currency AS ordered_in
        FROM payment y JOIN orders o ON o.id = y.order_id
        WHERE (y.currency <> o.currency AND y.problem IS NULL)
           OR EXISTS (SELECT 1 FROM refund f WHERE f.payment_id = y.id AND f.currency <> y.currency)
        ORDER BY y.id
        """,
        "Payment %(payment)s is in %(paid_in)s, and its order %(order_code)s or a refund of it is in another currency "
        "(the order: %(ordered_in)s).",
        "Compare with Stripe: run `regsys reconcile`.",
    ),
    Check(
        "every attempt that was paid has brought its payment",
        """
        SELECT o.code AS order_code, a.id AS attempt, a.currency AS currency, a.amount AS money_asked
        FROM payment_attempt a JOIN orders o ON o.id = a.order_id
        WHERE a.state = 'paid' AND NOT EXISTS (SELECT 1 FROM payment y WHERE y.attempt_id = a.id)
        ORDER BY a.id
        """,
        "Attempt %(attempt)s of order %(order_code)s is paid (%(money_asked)s), and there is no payment of it.",
        "Run `regsys reconcile`: it names Stripe's charge. The money is there, only our row is missing.",
    ),
    Check(
        "every payment by card comes from an attempt that was paid, in its amount",
        """
        SELECT o.code AS order_code, y.id AS payment, a.state AS state, y.currency AS currency,
               y.amount AS money_paid, a.amount AS asked
        FROM payment y JOIN payment_attempt a ON a.id = y.attempt_id JOIN orders o ON o.id = y.order_id
        WHERE (y.problem IS NULL AND a.state <> 'paid')
           OR (y.problem IS NOT NULL AND a.state <> 'quarantined')
           OR a.order_id <> y.order_id
           OR (coalesce(y.problem, '') <> 'mismatch'
               AND (a.amount <> y.amount OR a.currency <> y.currency))
        ORDER BY y.id
        """,
        "Payment %(payment)s of order %(order_code)s (%(money_paid)s) does not agree with its attempt, which is "
        "%(state)s and asked for %(asked)s in minor units.",
        "Compare with Stripe: run `regsys reconcile`, then look at the order.",
    ),
)

MAIL: Sequence[Check] = (
    Check(
        "everybody who was confirmed has been written to",
        # A seat that the host has covered is told of, and confirmed, by one letter.
        f"""
        SELECT {WHO}, r.email AS email FROM audit_entry a
        JOIN registration r ON r.id = a.subject_id {OF}
        LEFT JOIN message m ON m.key = 'confirm:' || r.id OR (m.key = 'seat:' || r.id AND m.created_at = a.at)
        WHERE a.action = 'registration.confirmed' AND {MOVED}
          AND m.id IS NULL ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' was confirmed, and no letter says so.",
        "Open the registration and press “Send the confirmation once more”.",
    ),
    Check(
        "everybody whose place was cancelled has been written to",
        f"""
        SELECT {WHO} FROM audit_entry a JOIN registration r ON r.id = a.subject_id {OF}
        JOIN orders o ON o.id = r.order_id AND o.placed_at IS NOT NULL
        WHERE a.action = 'registration.cancelled' AND {MOVED}
          AND a.actor_kind <> 'payer' AND r.email <> ''
          AND (r.moved_from_id IS NULL OR r.confirmed_at IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM message m WHERE m.registration_id = r.id
                          AND m.key LIKE '%cancelled:' || r.id) ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' was cancelled by us, and no letter says so.",
        "Write to the person yourself: their place is gone, and they may not know.",
    ),
    Check(
        "nobody got two letters for one confirmation",
        f"""
        SELECT {WHO}, count(*) AS times FROM audit_entry a
        JOIN registration r ON r.id = a.subject_id {OF}
        WHERE a.action = 'registration.confirmed' AND {MOVED}
        GROUP BY r.id, r.code, e.title HAVING count(*) > 1 ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' was confirmed %(times)s times.",
        "Read its history: one confirmation should be all. Tell whoever runs this site.",
    ),
    Check(
        "nobody got more confirmations than were asked for",
        f"""
        SELECT {WHO}, n.times AS times FROM registration r {OF}
        JOIN (SELECT m.registration_id, count(*) AS times FROM message m
              WHERE m.kind = 'confirmation' GROUP BY m.registration_id) n ON n.registration_id = r.id
        WHERE n.times > 1 + (SELECT count(*) FROM audit_entry a WHERE a.subject_id = r.id
                             AND a.subject_kind = 'registration'
                             AND a.action = 'registration.confirmation_resent')
        ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' has %(times)s confirmations, more than were asked for.",
        "Read its history; the person may wonder. Tell whoever runs this site.",
    ),
    Check(
        "no letter is stuck",
        """
        SELECT m.id AS message, m.kind AS kind, m.state AS state FROM message m
        WHERE (m.state = 'queued' AND m.attempts = 0 AND m.state_at < :soon)
           OR (m.state = 'queued' AND m.state_at < :long_ago)
           OR (m.state = 'sending' AND m.state_at < :soon) ORDER BY m.id
        """,
        "Letter %(message)s (%(kind)s) has been %(state)s for too long.",
        "Is a worker running? See `regsys check`. Then open the letter and send it once more.",
    ),
)

CHECKS: Sequence[Check] = (*PLACES, *SEATS, *MONEY, *CREDIT, *AID, *PAPERS, *MAIL)
