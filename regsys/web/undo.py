"""What was just done, with a button that posts the opposite: where that is one more request and loses nothing."""

from typing import Any, cast

from flask import flash


def flash_undo(sentence: str, address: str, **values: Any) -> None:
    """Say what was done; "Undo" beside it posts `values` to the address."""
    # Flask keeps whatever JSON can hold, though it names text only; the macro `flashes` draws this one.
    flash(cast(str, {"sentence": sentence, "address": address, "values": values}), "undo")
