"""Lives of orders: everything that can happen to money between buying and the last day.

A step does one thing as people do it: through the page that shows what will happen, or the verb behind it. What the
page has shown is what goes back, to the cent; and it is what the rules of the story give, worked out by hand.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import select

from regsys.aid import jobs as aid_jobs
from regsys.aid import services as aid
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState
from regsys.billing import jobs as billing_jobs
from regsys.billing import services as billing
from regsys.billing.models import Invoice
from regsys.billing.paper import Addressee
from regsys.billing.states import InvoiceState
from regsys.kernel.actors import SYSTEM, attendee, payer
from regsys.kernel.db import db, transaction
from regsys.ledger.kinds import DocumentKind
from regsys.ledger.models import Document, Method, Payment
from regsys.ledger.queries import corrected_ids, left_of, payments_of
from regsys.payments import jobs, queries
from regsys.payments.settle import settle, start_checkout
from regsys.registration import jobs as sweeps
from regsys.registration import services as registering
from regsys.registration.models import HandOver, Order, Registration
from regsys.registration.states import HandOverState as H
from regsys.registration.states import RegistrationState as S
from tests.payments.life_house import House
from tests.payments.life_rules import (
    MONEY,
    Back,
    amount,
    cents,
    comes_back,
    deposit_of,
    paid_of,
    said,
)
from tests.payments.storm import CHARGES, OUR_REFUNDS, PAYMENTS, THEIR_REFUNDS
from tests.support import rawsql

GOOD, PENDING, FAILING = "4242424242424242", "4000000000007726", "4000000000005126"
CARDS = [GOOD, GOOD, GOOD, PENDING, FAILING]
WORK: list[Callable[[Mapping[str, Any]], object]] = [
    sweeps.sweep, jobs.poll, jobs.call_off, jobs.follow_rests, jobs.keep_promises, aid_jobs.sweep,
    billing_jobs.write, billing_jobs.remind, billing_jobs.close,
]  # fmt: skip
EMPLOYER = Addressee("Harborview Family Practice", "500 Alder Street\nSeattle, WA", "PO-4711")
# What happens, and how often compared with the rest; a step that has happened often gives way to one that has not.
STEPS: dict[str, int] = {
    "buy": 8, "buy_elsewhere": 2, "use_credit": 3, "open_page": 2, "pay": 10, "pay_late": 2, "pay_twice": 2,
    "ask_for_invoice": 4, "cheque": 5, "cheque_back": 2, "pay_invoice": 2, "end_invoice": 2,
    "leave": 6, "cancel_for": 3, "take_off": 1, "give_back": 2, "give_by_hand": 2, "call_off": 1,
    "move": 5, "move_for": 3, "offer": 3, "fill": 4, "decide": 3, "withdraw": 1, "hand_over_for": 1,
    "ask_for_help": 4, "award": 3, "decline_help": 1, "withdraw_help": 1, "anew": 3, "refund_goes_on": 2,
    "minutes": 4, "days": 3,
}  # fmt: skip
KEPT = "SELECT registration_id, amount, credit FROM refill_promise WHERE kept_at IS NOT NULL"
# Of a place that was given up: its order, its money that is kept, what a credit paid, what a credit of it has paid.
KEPT_OF = """
    SELECT r.order_id, (SELECT coalesce(sum(amount), 0) FROM order_line WHERE registration_id = r.id),
        (SELECT coalesce(sum(amount), 0) FROM order_line WHERE order_id = r.order_id AND registration_id IS NULL),
        r.credit_used, (SELECT coalesce(sum(u.credit_used), 0) FROM registration u
                        WHERE u.code_id = r.credit_id AND u.state <> 'expired')
    FROM registration r WHERE r.id = ?"""
OPEN_PROMISES = """
    SELECT p.registration_id FROM refill_promise p
    JOIN registration r ON r.id = p.registration_id WHERE p.kept_at IS NULL AND r.order_id > ?"""


class Kept(NamedTuple):
    """What is kept of a place that was given up, in money and of a credit, what has used it, what cards can take."""

    order: int
    money: int
    used: int
    spent: int
    cards: int


class Place(NamedTuple):
    """A place whose rest is overdue."""

    id: int
    cost: int
    room: int
    used: int
    starts_at: datetime


class Rest(NamedTuple):
    """An order with such places: what it costs, what was paid, what cards can take."""

    total: int
    net: int
    cards: int
    places: list[Place]


class Life(House):
    """What happens, step by step."""

    # ---- paying

    def open_page(self, draw: Random) -> bool | None:
        owing = [o for o in self._owing() if not self._page(o.id)]
        return bool(self._open(draw.choice(owing), draw)) if owing else None

    def _open(self, order: Order, draw: Random, *, whole: bool | None = None) -> str | None:
        """Open the payer's page, or the one of somebody else who has the link; None: nothing is due now."""
        order_id, link, back = order.id, None, None
        if draw.random() < 0.3:
            with transaction():
                link = registering.share_payment(order_id, actor=SYSTEM, now=self.shop.clock.now)
            self.steps["paid by link"] += 1
        whole = draw.random() < 0.4 if whole is None else whole
        url = start_checkout(order_id, whole=whole, link=link, back=back)
        return url.rsplit("/", 1)[-1] if url else None

    def pay(self, draw: Random) -> bool | None:
        """Pay what is due, or the deposit; sometimes nobody hears of it before the poller asks."""
        owing = self._owing()
        if not owing:
            return None
        order = draw.choice(owing)
        found = self._page(order.id)
        page = found[0] if found else self._open(order, draw)
        return bool(page) and self._pay(page or "", draw)

    def _pay(self, page: str, draw: Random, *, unheard: float = 0.1) -> bool:
        done = self.shop.control.pay(page, card=draw.choice(CARDS), deliver="never")
        if done["error"] is None and draw.random() >= unheard:
            self._hear(page)
        return done["error"] is None

    def _hear(self, page: str) -> None:
        """Deliver what Stripe says of a page."""
        for told in self._events(page):
            assert self.shop.deliver(told) == 200

    def _events(self, page: str) -> list[dict[str, Any]]:
        query = (
            "SELECT doc FROM object WHERE kind = 'event' AND seq > ?"
            " AND json_extract(doc, '$.data.object.id') = ? ORDER BY seq"
        )
        found = rawsql.rows(self.truth.books, query, self.truth.sandbox_mark, page)
        return [json.loads(doc) for (doc,) in found]

    def _is_open(self, page: str) -> bool:
        query = (
            "SELECT count(*) FROM object WHERE id = ? AND json_extract(doc, '$.status') = 'open'"
        )
        return rawsql.number(self.truth.books, query, page) > 0

    def _lose(self, order: Order, draw: Random) -> str | None:
        """Open a page, and let Stripe say once that it has ended, which is not so."""
        found = self._page(order.id)
        page = found[0] if found else self._open(order, draw)
        if page and not self._is_open(page):
            return None  # it was paid, and nobody has heard of it
        if page:
            self.shop.control.edit(page, status="expired")
            settle(session_id=page)
            self.shop.control.edit(page, status="open")
        return page

    def pay_late(self, draw: Random) -> bool | None:
        """Pay at a page that was taken for ended, when the places were let go, or somebody else has them."""
        owing = self._owing()
        if not owing:
            return None
        page = self._lose(draw.choice(owing), draw)
        if not page:
            return False
        self.shop.clock.move(minutes=11)
        self._work()
        for _n in range(draw.choice([0, 3])):
            with self._refusing("buy"):
                self.buy(draw)
        return self._is_open(page) and self._pay(page, draw, unheard=0)

    def pay_twice(self, draw: Random) -> bool | None:
        """Pay at two pages of one order before anybody hears of either."""
        owing = self._owing()
        if not owing:
            return None
        order, whole = draw.choice(owing), draw.random() < 0.6
        first = self._lose(order, draw)
        second = self._open(order, draw, whole=whole) if first else None
        if not first or not second or first == second:
            return False
        pages = [first, second]
        for page in pages:
            self.shop.control.pay(page, card=GOOD, deliver="never")
        draw.shuffle(pages)
        for page in pages:
            self._hear(page)
        return True

    # ---- an employer pays

    def ask_for_invoice(self, draw: Random) -> bool | None:
        waiting = [o for o in self._owing() if any(r.state is S.AWAITING_PAYMENT for r in o.registrations)]  # fmt: skip
        if not waiting:
            return None
        order = draw.choice(waiting)
        with transaction():
            billing.ask_for_invoice(
                order.id, EMPLOYER, email="ap@example.org", actor=payer("Nutkin"), now=self.shop.clock.now
            )  # fmt: skip
        return True

    def _invoices(self) -> list[Invoice]:
        mine = (Invoice.order_id > self.truth.marks["orders"], Invoice.state == InvoiceState.OPEN)
        return list(db.session.scalars(select(Invoice).where(*mine).order_by(Invoice.id)))

    def cheque(self, draw: Random) -> bool | None:
        """Write a cheque down: for all that is owed, for a part, or for too much."""
        owed = {i.order_id for i in self._invoices()}
        owing = [o for o in self._owing() if o.id in owed] or (
            self._owing() if draw.random() < 0.2 else []
        )
        if not owing:
            return None
        order = draw.choice(owing)
        total, net = self._money(order.id)
        n = draw.choice([total - net, total - net, max(1, (total - net) // 2), total - net + 5000])
        seen = max((p.id for p in payments_of([order.id])), default=0)
        with transaction():
            billing.receive(
                order.id, amount=n, method=Method.CHEQUE, received_at=self.shop.clock.now,
                reference=f"No. {draw.randrange(10**6)}", seen=seen, actor=SYSTEM, now=self.shop.clock.now,
            )  # fmt: skip
        return True

    def _by_hand(self) -> list[Payment]:
        ours = (Payment.id > self.truth.marks["payment"], Payment.problem.is_(None))
        query = select(Payment).where(*ours, Payment.method != Method.CARD).order_by(Payment.id)
        return list(db.session.scalars(query))

    def cheque_back(self, draw: Random) -> bool | None:
        written = self._by_hand()
        if not written:
            return None
        payment = draw.choice(written)
        with transaction():
            billing.take_back(payment.order_id, payment.id, actor=SYSTEM, now=self.shop.clock.now)
        return True

    def pay_invoice(self, draw: Random) -> bool | None:
        """Pay an invoice by card behind its own link."""
        open_ = self._invoices()
        if not open_:
            return None
        token = draw.choice(open_).token
        answer = self.shop.press(self.shop.client, f"/i/{token}/pay")
        if not answer.location.startswith(self.shop.sandbox.url):
            return False
        return self._pay(answer.location.rsplit("/", 1)[-1], draw)

    def end_invoice(self, draw: Random) -> bool | None:
        """Make an invoice out anew, take it back, or write off what is open of it."""
        open_ = self._invoices()
        if not open_:
            return None
        invoice, now = draw.choice(open_).id, self.shop.clock.now
        what = draw.choice(["anew", "cancel", "write off"])
        with transaction():
            if what == "anew":
                email = "new@example.org"
                billing.make_out_invoice_anew(invoice, EMPLOYER, email=email, actor=SYSTEM, now=now)
            elif what == "cancel":
                billing.cancel_invoice(invoice, reason="asked", actor=SYSTEM, now=now)
            else:
                billing.write_off(invoice, reason="closed", actor=SYSTEM, now=now)
        self.steps[f"invoice: {what}"] += 1
        return True

    def anew(self, draw: Random) -> bool | None:
        """Make a receipt out to another name."""
        mine = Document.order_id > self.truth.marks["orders"]
        papers = list(db.session.scalars(select(Document).where(mine).order_by(Document.id)))
        void = corrected_ids(papers)
        receipts = [d.id for d in papers if d.kind is DocumentKind.RECEIPT and d.id not in void]
        if not receipts:
            return None
        with transaction():
            billing.make_out_anew(draw.choice(receipts), EMPLOYER, now=self.shop.clock.now)
        return True

    # ---- leaving

    def leave(self, draw: Random) -> bool | None:
        """Give one place of an order up, or all of them, by the payer's link or one's own."""
        there = self._registrations(S.CONFIRMED)
        if not there:
            return None
        one = draw.choice(there)
        mine = [r for r in there if r.order_id == one.order_id]
        own = draw.random() < 0.4
        gone = [one] if own or draw.random() < 0.5 else mine
        path = f"/r/{one.token}/cancel" if own else f"/o/{one.order.token}/cancel"
        who = [r.id for r in gone]
        asked = "" if own else "?" + "&".join(f"who={r}" for r in who)
        page = self.shop.client.get(path + asked).text
        mark = re.search(r'name="mark" value="(\w+)"', page)
        if mark is None:
            return False
        shown = self._shown(page, gone, hidden=own and not one.is_payer)
        order_id, total, net = one.order_id, *self._money(one.order_id)
        data: dict[str, Any] = {"mark": mark.group(1), "reason": "ill", "who": who}
        answer = self.shop.press(self.shop.client, path, **data)
        assert answer.status_code == 303, said(answer.text)
        self.expected[order_id] += shown[0]
        after = self._money(order_id)
        owed = max(0, after[1] - after[0]) - max(0, net - total)
        assert owed == shown[1], "what does not go to the card is owed by hand"
        self.steps["all leave" if len(gone) == len(mine) else "one of more leaves"] += 1
        return True

    def _shown(self, page: str, gone: Sequence[Registration], *, hidden: bool) -> tuple[int, int]:
        """Read what goes back, to the card and by hand, and hold it against the rules, worked out by hand."""
        worked_out = self._work_out(gone)
        back = sum(b.now for b in worked_out.values())
        cards = self._refundable(gone[0].order_id)
        want = (min(back, cards), back - min(back, cards))
        self._note(worked_out)
        if hidden:
            assert "$" not in said(page)
            return want
        words = said(page)
        assert amount(words, "Today ", " comes back") == back, words
        card, hand = amount(words, after=" goes to the card"), amount(words, after=" was not paid by card")  # fmt: skip
        assert (card, hand) == want, words
        self._compare_credits(words, list(worked_out.values()))
        return want

    def _note(self, worked_out: Mapping[int, Back]) -> None:
        """Remember what is promised to whom, and which credits are to be there when the step is over."""
        for person, back in worked_out.items():
            self.promised[person] = (back.more, back.more_credit)
            self.shown_credits[person] = back.credit

    def _compare_credits(self, words: str, backs: Sequence[Back]) -> None:
        """Hold what a page says of credits, and of a place that is taken again, against the rules."""
        shown = {
            "more comes back by itself": [b.more for b in backs],
            "more goes back to the credit": [b.more_credit for b in backs],
            "becomes a credit for": [b.credit for b in backs],
        }
        for what, want in shown.items():
            found = [cents(n) for n in re.findall(f"{MONEY} {what}", words)]
            assert found == [n for n in want if n], words
        again = [cents(n) for n in re.findall(f"Counts again as a credit -{MONEY}", words)]
        assert again == [b.to_credit for b in backs if b.to_credit], words

    def _used(self, person: int) -> int:
        """Return what a credit has paid of a place."""
        return rawsql.number(self.url, "SELECT credit_used FROM registration WHERE id = ?", person)

    def _paid(self, gone: Sequence[Registration]) -> list[int]:
        """Return what was paid in money for each of those who leave together."""
        order_id, costs = gone[0].order_id, self.truth.costs()
        total, net = self._money(order_id)
        ids, unpaid = [g.id for g in gone], (S.DRAFT, S.AWAITING_PAYMENT)
        moves = [m for m in gone[0].order.registrations if m.moved_from_id in ids]
        total -= sum(costs[m.id] for m in moves if m.state in unpaid)
        return paid_of([costs[r.id] for r in gone], net - total)

    def _work_out(self, gone: Sequence[Registration]) -> dict[int, Back]:
        """Work out what comes back for each by the rules, today."""
        paid = self._paid(gone)
        return {r.id: self._back(r, n, self._used(r.id)) for r, n in zip(gone, paid, strict=True)}

    def _back(self, r: Registration, paid: int, used: int) -> Back:
        starts_at, now = self.starts[r.event_id], self.shop.clock.now
        return comes_back(self.rules, paid, r.room_part, starts_at=starts_at, now=now, used=used)

    def _refundable(self, order_id: int) -> int:
        """Return what the cards of an order can still take back."""
        return sum(
            left_of(p)
            for p in payments_of([order_id])
            if p.problem is None and p.method is Method.CARD
        )

    def take_off(self, draw: Random) -> bool | None:
        waiting = self._registrations(S.AWAITING_PAYMENT)
        if not waiting:
            return None
        r, now = draw.choice(waiting), self.shop.clock.now
        with transaction():
            if draw.random() < 0.5:
                registering.remove_person(r.order_id, r.id, actor=payer("Nutkin"), now=now)
            else:
                registering.cancel_unpaid(r.id, event_id=r.event_id, reason="asked", actor=SYSTEM, now=now)  # fmt: skip
        return True

    # ---- what organizers do

    def _errand(self, path: str, draw: Random, choices: Sequence[int], **more: str) -> int | None:
        """Give back what the page says after the amount was typed, and the amount is confirmed; None: not here."""
        answer = self._desk().get(path)
        if answer.status_code != 200 or 'name="amount"' not in answer.text:
            return None
        n = draw.choice(choices)
        typed = {"amount": f"{n // 100}.{n % 100:02}", "reason": "asked", **more}
        page = self.shop.press(self._desk(), path, **typed)
        if page.status_code != 200:
            return None
        words = said(page.text)
        shown = amount(words, "Stripe sends ", " back") or amount(words, after=" went back by")
        assert shown == n, words
        done = self.shop.press(self._desk(), path, **_hidden(page.text), do="confirm")
        assert done.status_code in (303, 409), said(done.text)
        return n if done.status_code == 303 else None

    def cancel_for(self, draw: Random) -> bool | None:
        """Cancel a paid place for somebody: by its rules, or with all, a part or nothing; shown before, to the cent."""
        there = self._registrations(S.CONFIRMED)
        if not there:
            return None
        r = draw.choice(there)
        order_id, by_rules = r.order_id, self._work_out([r])[r.id]
        [paid], used, cards = self._paid([r]), self._used(r.id), self._refundable(r.order_id)
        how, own = draw.choice(["rules", "rules", "all", "own", "nothing"]), (paid + used) // 3
        back = {
            "rules": by_rules, "all": Back(paid, used, 0, 0, 0), "nothing": Back(0, 0, 0, 0, 0),
            "own": Back(min(own, paid), min(own - min(own, paid), used), 0, 0, 0),
        }[how]  # fmt: skip
        path = f"/organize/events/{r.event_id}/registrations/{r.id}/cancel-paid"
        typed = {"how": how, "amount": f"{own // 100}.{own % 100:02}", "reason": "asked"}
        page = self.shop.press(self._desk(), path, **typed)
        if page.status_code != 200 or 'name="mark"' not in page.text:
            return False
        words, card = said(page.text), min(back.now, cards)
        assert amount(words, "Stripe sends ", " back to the card") == card, words
        assert amount(words, after=" did not come by card") == back.now - card, words
        if paid + used:
            self._compare_credits(words, [back])
        done = self.shop.press(self._desk(), path, **_hidden(page.text), do="confirm")
        if done.status_code == 409:
            return False
        assert done.status_code == 303, said(done.text)
        self._note({r.id: back})
        self.expected[order_id] += card
        self.steps[f"cancelled: {how}"] += 1
        return True

    def _card_payments(self) -> list[Payment]:
        ours = (Payment.id > self.truth.marks["payment"], Payment.problem.is_(None))
        query = select(Payment).where(*ours, Payment.method == Method.CARD).order_by(Payment.id)
        return [p for p in db.session.scalars(query) if left_of(p) > 0]

    def give_back(self, draw: Random) -> bool | None:
        """Give some of a payment back out of goodwill."""
        there = self._card_payments()
        if not there:
            return None
        payment = draw.choice(there)
        order_id, left = payment.order_id, left_of(payment)
        path = f"/organize/payments/{payment.id}/back"
        given = self._errand(path, draw, [left, max(1, left // 7)])
        self.expected[order_id] += given or 0
        return given is not None

    def give_by_hand(self, draw: Random) -> bool | None:
        """Write down that what is owed went back by a cheque of ours."""
        owed = queries.list_owed()
        mine = [row for row in owed if row.order.id > self.truth.marks["orders"]]
        if not mine:
            return None
        row = draw.choice(mine)
        order_id, n = row.order.id, min(row.owed, left_of(row.payment))
        day = self.shop.clock.now.date() - timedelta(days=1)
        path = f"/organize/payments/{row.payment.id}/by-hand"
        given = self._errand(path, draw, [n], method="cheque", day=day.isoformat())
        self.expected[order_id] += given or 0
        return given is not None

    def call_off(self, draw: Random) -> bool | None:
        """Call one of the events off: everybody is told, and gets back what the page has said, all together."""
        there = {r.event_id for r in self._registrations(S.CONFIRMED)}
        if not there:
            return None
        event_id = draw.choice(sorted(there))
        if rawsql.number(
            self.url, "SELECT count(*) FROM cancellation WHERE event_id = ?", event_id
        ):
            return False
        path = f"/organize/events/{event_id}/call-off"
        words = said(self.shop.press(self._desk(), path, reason="snow").text)
        shown = amount(words, after=" in all goes back to the cards")
        assert self.shop.press(self._desk(), path, reason="snow", do="confirm").status_code == 303
        self.shop.fresh()
        before, known = self.truth.last_refund(), self.truth.last_payment()
        jobs.call_off({})
        made = [row for row in self.truth.refunds_after(before) if row[4] is None]
        # What is paid at a page that was open, or heard of only now, goes back too, as the page has said.
        heard = self.truth.paid_after(known)
        assert shown <= sum(row[3] for row in made) <= shown + heard
        for _id, order, _r, n, *_more in made:
            self.expected[order] += n
        living = (
            "SELECT count(*) FROM registration WHERE event_id = ?"
            " AND state IN ('awaiting_payment', 'confirmed')"
        )
        assert rawsql.number(self.url, living, event_id) == 0
        return True

    # ---- moving to another event

    def move(self, draw: Random) -> bool | None:
        """Move as the payer's page shows it; what is more to pay is paid at once, later, or never."""
        return self._move(draw, by_organizer=False)

    def move_for(self, draw: Random) -> bool | None:
        return self._move(draw, by_organizer=True)

    def _move(self, draw: Random, *, by_organizer: bool) -> bool:
        there = self._registrations(S.CONFIRMED)
        if not there:
            return None
        r = draw.choice(there)
        to = self._another_type(r, draw)
        desk = f"/organize/events/{r.event_id}/registrations/{r.id}/move"
        path = desk if by_organizer else f"/o/{r.order.token}/move"
        client = self._desk() if by_organizer else self.shop.client
        page = client.get(f"{path}?who={r.id}&to={to}").text
        mark = re.search(r'name="mark" value="(\w+)"', page)
        if mark is None:
            return False
        words = said(page)
        to_pay, card = amount(words, "To pay now "), amount(words, after=" goes to the card")
        there_at = self.starts[self._event_of(to)]
        self._hold_against_rules(r, words, there_at, by_organizer=by_organizer)
        back = amount(words, "Comes back ")
        spare = by_organizer and draw.random() < 0.4
        data: dict[str, Any] = {"mark": mark.group(1), "who": r.id, "to": to, "reason": "asked"}
        answer = self.shop.press(client, path, **data, difference="none" if spare else "link")
        assert answer.status_code == 303, said(answer.text)
        self.expected[r.order_id] += card
        kind = "dearer" if to_pay else "cheaper" if back else "equal"
        self.steps[f"moved: {kind}"] += 1
        if to_pay and not by_organizer:
            session = answer.location.rsplit("/", 1)[-1]
            asked = "SELECT json_extract(doc, '$.amount_total') FROM object WHERE id = ?"
            assert rawsql.number(self.truth.books, asked, session) == to_pay
            if draw.random() < 0.7:
                self._pay(session, draw)
        return True

    def _another_type(self, r: Registration, draw: Random) -> int:
        where = [e for e in (self.main, *self.others.values()) if e != r.event_id]
        query = "SELECT id FROM ticket_type WHERE event_id = ? AND name = 'Standard'"
        return rawsql.number(self.url, query, draw.choice(where))

    def _event_of(self, type_id: int) -> int:
        return rawsql.number(self.url, "SELECT event_id FROM ticket_type WHERE id = ?", type_id)

    def _hold_against_rules(
        self, r: Registration, words: str, starts_at: datetime, *, by_organizer: bool
    ) -> None:
        """Work out what a move costs: the difference and the fee; nobody gets more by it than by leaving."""
        total, net = self._money(r.order_id)
        costs, now = self.truth.costs(), self.shop.clock.now
        price = amount(words, "The new place ") - amount(
            words, "Adjusted by the society, as here -"
        )
        more = price + (0 if by_organizer else 1500) - costs[r.id]
        # What the deposits of the others leave for later is due then.
        others = (o for o in r.order.registrations if o.state is S.CONFIRMED and o.id != r.id)
        rests = [o for o in others if o.deposit and o.rest_at and o.rest_at > now]
        later = sum(max(0, costs[o.id] - (o.deposit or 0)) for o in rests)
        total -= min(later, max(0, total - net))
        most = net if by_organizer else self._back(r, self._paid([r])[0], 0).now
        back = min(max(0, net - total - more), max(0, -more), most)
        owed = max(0, total + more - net)
        first = deposit_of(self.rules, price, starts_at=starts_at, now=now)
        to_pay = max(0, owed - (price - first)) if first else owed if more > 0 else 0
        said_ = [amount(words, what) for what in ("To pay now ", "Then, by [^$]*", "Comes back ")]
        assert said_ == [to_pay, owed - to_pay if first else 0, back], words

    # ---- handing over

    def offer(self, draw: Random) -> bool | None:
        there = self._registrations(S.CONFIRMED)
        if not there:
            return None
        r = draw.choice(there)
        with transaction():
            registering.offer_hand_over(r.order_id, r.id, actor=attendee(r.name), now=self.shop.clock.now)  # fmt: skip
        return True

    def _handing(self, draw: Random, *states: H) -> tuple[int, Registration] | None:
        mine = Registration.order_id > self.truth.marks["orders"]
        query = select(HandOver).join(HandOver.registration).where(mine, HandOver.state.in_(states))
        rows = list(db.session.scalars(query.order_by(HandOver.id)))
        row = draw.choice(rows) if rows else None
        return (row.id, row.registration) if row else None

    def fill(self, draw: Random) -> bool | None:
        found = self._handing(draw, H.OPEN)
        if found is None:
            return None
        who = self._person()
        with transaction():
            refusal = registering.fill_hand_over(
                found[0], who, about={"profession": "Nurse"}, actor=attendee(who.first_name), now=self.shop.clock.now
            )  # fmt: skip
        return refusal is None

    def decide(self, draw: Random) -> bool | None:
        found = self._handing(draw, H.ASKED)
        if found is None:
            return None
        agreed = draw.random() < 0.7
        with transaction():
            registering.decide_hand_over(
                found[0], event_id=found[1].event_id, agreed=agreed, actor=SYSTEM, now=self.shop.clock.now
            )  # fmt: skip
        self.steps["handed over" if agreed else "not handed over"] += 1
        return True

    def withdraw(self, draw: Random) -> bool | None:
        found = self._handing(draw, H.OPEN, H.ASKED)
        if found is None:
            return None
        with transaction():
            registering.withdraw_hand_over(
                found[1].order_id, found[1].id, actor=SYSTEM, now=self.shop.clock.now
            )
        return True

    def hand_over_for(self, draw: Random) -> bool | None:
        there = self._registrations(S.CONFIRMED)
        if not there:
            return None
        r = draw.choice(there)
        with transaction():
            registering.hand_over_for(
                r.order_id, r.id, self._person(), reason="asked", actor=SYSTEM, now=self.shop.clock.now
            )  # fmt: skip
        return True

    # ---- help with the fee

    def ask_for_help(self, draw: Random) -> bool | None:
        waiting = [r for r in self._registrations(S.AWAITING_PAYMENT) if r.event_id == self.main]
        if not waiting:
            return None
        one = draw.choice(waiting).id
        with transaction():
            aid.ask(one, "I am the only nurse here.", asked_amount=None, now=self.shop.clock.now)  # fmt: skip
        return True

    def _asked(self) -> list[AidRequest]:
        mine = Registration.order_id > self.truth.marks["orders"]
        query = select(AidRequest).join(AidRequest.registration)
        query = query.where(mine, AidRequest.state == RequestState.ASKED).order_by(AidRequest.id)
        return list(db.session.scalars(query))

    def award(self, draw: Random) -> bool | None:
        """Give help: some of the fee, all of it, or more than the fund still has."""
        asked = self._asked()
        if not asked:
            return None
        request = draw.choice(asked)
        n = draw.choice([20000, 35000, request.registration.price])
        with transaction():
            aid.award(request.id, n, scope=None, actor=SYSTEM, now=self.shop.clock.now)
        return True

    def decline_help(self, draw: Random) -> bool | None:
        asked = self._asked()
        if not asked:
            return None
        with transaction():
            aid.decline(draw.choice(asked).id, scope=None, actor=SYSTEM, now=self.shop.clock.now)
        return True

    def withdraw_help(self, draw: Random) -> bool | None:
        asked = self._asked()
        if not asked:
            return None
        one = draw.choice(asked).registration_id
        with transaction():
            aid.withdraw(one, now=self.shop.clock.now)
        return True

    # ---- time, and what is done without anybody asking

    def refund_goes_on(self, draw: Random) -> bool | None:
        """Let Stripe finish a refund: it arrives late, or fails after it seemed to be done."""
        query = (
            "SELECT id FROM object WHERE kind = 'refund' AND seq > ?"
            " AND json_extract(inner, '$.becomes') IS NOT NULL ORDER BY seq"
        )
        waiting = rawsql.rows(self.truth.books, query, self.truth.sandbox_mark)
        if not waiting:
            return None
        self.shop.control.advance_refund(draw.choice(waiting)[0])
        self._work()
        return True

    def minutes(self, draw: Random) -> bool | None:
        self.shop.clock.move(minutes=draw.choice([4, 11, 36]))
        self._work()
        return True

    def days(self, draw: Random) -> bool | None:
        """Let days pass; the worker has done its minute before."""
        n = draw.choice([2, 8, 15, 31, 50])
        if self.shop.clock.now + timedelta(days=n) > max(self.starts.values()):
            return None
        self._work()
        self.shop.clock.move(days=n)
        self._work()
        self.steps[f"days: {n}"] += 1
        return True

    def _work(self) -> None:
        """Let the worker do what is due, and explain everything that it gives back."""
        self.shop.fresh()
        kept = set(rawsql.rows(self.url, KEPT))
        overdue, open_ = self._foresee_rests(), self._foresee_promises()
        db.session.rollback()
        for job in WORK:
            job({})
        for person, *shown in set(rawsql.rows(self.url, KEPT)) - kept:
            self._expect_promise(person, tuple(shown), open_[person])
        for order, rest in overdue.items():
            self._expect_lapsed(order, rest)

    def _foresee_promises(self) -> dict[int, Kept]:
        """Return for each open promise what is kept of the place, and what of it has become something else."""
        found = {}
        for (person,) in self.truth.ask(OPEN_PROMISES, "orders"):
            [(order, mine, loose, used, spent)] = rawsql.rows(self.url, KEPT_OF, person)
            money = max(0, int(mine) + min(0, int(loose)))
            found[person] = Kept(order, money, used, int(spent), self._refundable(order))
        return found

    def _expect_promise(self, person: int, shown: tuple[int, ...], kept: Kept) -> None:
        """Somebody has taken the place: what was shown comes back, as far as it was not given back or used before."""
        assert self.promised[person] == shown, "what was shown is what was promised"
        free = max(0, kept.money + kept.used - kept.spent)
        again = min(shown[1], kept.used, free)
        self.expected[kept.order] += min(shown[0], kept.money, free - again, kept.cards)
        self.steps["taken again"] += 1

    def _foresee_rests(self) -> dict[int, Rest]:
        """Return how orders stand with a place whose rest is overdue."""
        there, costs, now = (
            self._registrations(S.CONFIRMED),
            self.truth.costs(),
            self.shop.clock.now,
        )
        found: dict[int, Rest] = {}
        for r in there:
            if r.rest_at and r.rest_at <= now:
                rest = Rest(*self._money(r.order_id), self._refundable(r.order_id), [])
                used = self._used(r.id)
                mine = Place(r.id, costs[r.id], r.room_part, used, self.starts[r.event_id])
                found.setdefault(r.order_id, rest).places.append(mine)
        return found

    def _expect_lapsed(self, order: int, rest: Rest) -> None:
        """Places were let go whose rest was not paid: the same comes back as if people had left today."""
        query = (
            "SELECT r.id FROM registration r JOIN event e ON e.id = r.event_id"
            " WHERE r.order_id = ? AND r.state = 'cancelled' AND e.state <> 'cancelled'"
        )
        ended = {i for (i,) in rawsql.rows(self.url, query, order)}
        gone = [p for p in rest.places if p.id in ended]
        if not gone:
            return
        paid = paid_of([p.cost for p in gone], rest.net - rest.total)
        now = self.shop.clock.now
        backs = {
            p.id: comes_back(self.rules, n, p.room, starts_at=p.starts_at, now=now, used=p.used)
            for p, n in zip(gone, paid, strict=True)
        }
        self._note(backs)
        self.expected[order] += min(rest.cards, sum(b.now for b in backs.values()))
        self.steps["let go"] += 1

    def close(self) -> None:
        """Come to rest, as a last step."""
        self.expected, self.shown_credits, before = Counter(), {}, self.truth.last_refund()
        self._rest()
        self.look(before)

    def _rest(self) -> None:
        """Let everything come to rest: then our ledger is Stripe's books, and everything has its paper."""
        while self.refund_goes_on(Random(0)):
            pass
        for _n in range(2):
            self.shop.clock.move(minutes=61)
            self._work()
            jobs.catch_up({})
        ours = self.truth.ask(PAYMENTS, "payment")
        charges = rawsql.rows(self.truth.books, CHARGES, self.truth.sandbox_mark)
        assert sorted(ours) == sorted(charges), set(charges) ^ set(ours)
        theirs = rawsql.rows(self.truth.books, THEIR_REFUNDS, self.truth.sandbox_mark)
        assert sorted(self.truth.ask(OUR_REFUNDS, "refund")) == sorted(theirs)


def _hidden(page: str) -> dict[str, str]:
    """Return what a page sends besides its button."""
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {name: value for name, value in found.items() if name != "csrf_token"}
