"""What the account had taken and given back before the stand-in was started: the money of the demo.

`regsys run` writes it into a file of the data folder beside the demo's own rows, and it is carried in once. Nothing is
told to the site: it knows all of it.
"""

import json
from pathlib import Path

from regsys.sandbox import books, charges, objects
from regsys.sandbox.cards import GOOD, find_card
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Doc, Store

FILE = "sandbox-past.json"


def carry_in(store: Store, folder: Path, base_url: str) -> int:
    """Carry in what the folder's file holds, and take the file away; return how many payments these were.

    Each is {intent, charge, amount, currency, fee, at, name, email, order, refunds}, each refund {id, amount, at,
    status}; amounts are Stripe's, times seconds since 1970.
    """
    file = folder / FILE
    if not file.is_file():
        return 0
    sold: list[Doc] = json.loads(file.read_text())
    with store.unit():
        new = [one for one in sold if store.find(one["intent"]) is None]
        for one in sorted(new, key=lambda one: int(one["at"])):
            charge = _sell(store, one, base_url)
            for back in one["refunds"]:
                charge = _give_back(store, charge, back)
    file.unlink()
    return len(new)


def _sell(store: Store, one: Doc, base_url: str) -> Doc:
    at = int(one["at"])
    asked = {
        "amount_total": one["amount"],
        "currency": one["currency"],
        "payment_method_types": ["card"],
    }
    intent = objects.new_intent(asked, {"metadata": {"order": one["order"]}}, at)
    intent |= {"id": one["intent"], "client_secret": f"{one['intent']}_secret_past"}
    charge = charges.card_charge(
        intent, find_card(GOOD), Payer(one["email"], one["name"]), at, base_url
    )
    charge |= {"id": one["charge"], "receipt_url": f"{base_url}/receipts/{one['charge']}"}
    line = store.add(books.new_transaction(charge, "charge", one["amount"], one["fee"], at))
    done = {
        "amount_received": one["amount"],
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
        "status": "succeeded",
    }
    store.add(intent | done)
    return store.add(charge | {"balance_transaction": line["id"]}, refund="succeeded")


def _give_back(store: Store, charge: Doc, back: Doc) -> Doc:
    at = int(back["at"])
    refund = objects.new_refund(charge, {}, back["amount"], at, back["status"]) | {"id": back["id"]}
    if back["status"] == "failed":
        store.add(refund | {"failure_reason": "expired_or_canceled_card"})
        return charge
    if back["status"] == "succeeded":
        line = store.add(books.new_transaction(refund, "refund", -back["amount"], 0, at))
        reference = objects.destination("card", "5550006" + refund["id"][-4:])
        store.add(refund | {"balance_transaction": line["id"], "destination_details": reference})
    else:
        store.add(refund, becomes="succeeded")  # when somebody presses the button
    total = charge["amount_refunded"] + back["amount"]
    return store.save(charge | {"amount_refunded": total, "refunded": total == charge["amount"]})
