"""What a list is asked for: the query string, whatever it holds, becomes a filter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired

from regsys.kernel.text import clean, which_page, whole_number
from regsys.registration.states import RegistrationState as S
from regsys.reports.queries import SORTS, Filter
from regsys.web.forms import AtMost, BaseForm

PAGE_SIZE = 50
WITH_A_PLACE = (S.AWAITING_PAYMENT, S.CONFIRMED)
STATES: Mapping[str, Sequence[S]] = {"": WITH_A_PLACE, **{s.value: (s,) for s in S}, "all": ()}


@dataclass(frozen=True)
class Asked:
    """A list as it was asked for; what made no sense is left out."""

    words: str = ""
    state: str = ""
    ticket_type_id: int | None = None
    event_id: int | None = None
    open_answers: bool = False
    sort: str = "name"
    page: int = 1
    look: int | None = None

    @property
    def narrows(self) -> bool:
        """Tell whether anything but the usual state was asked for."""
        return bool(self.words or self.state or self.ticket_type_id or self.open_answers)

    @property
    def as_query(self) -> dict[str, str | int]:
        """Return what narrows and sorts, as query values: for the addresses of exports."""
        given = {
            "q": self.words,
            "state": self.state,
            "type": self.ticket_type_id or "",
            "event": self.event_id or "",
            "open": "1" if self.open_answers else "",
            "sort": "" if self.sort == "name" else self.sort,
        }
        return {k: v for k, v in given.items() if v}

    def among(self, mine: Sequence[int]) -> list[int]:
        """Return which of these events the list is about: the chosen one, or all."""
        return [i for i in mine if self.event_id in (None, i)]

    def filter(self, event_ids: Sequence[int]) -> Filter:
        """Return the filter among these events."""
        return Filter(
            event_ids,
            self.words,
            STATES[self.state],
            self.ticket_type_id,
            self.open_answers,
            self.sort,
        )


def read_list(args: Mapping[str, str]) -> Asked:
    """Read a query string; no value in it can do harm or raise."""
    state, sort = args.get("state", ""), args.get("sort", "")
    return Asked(
        words=" ".join(clean(args.get("q", "")).split())[:100],
        state=state if state in STATES else "",
        ticket_type_id=whole_number(args.get("type", "")),
        event_id=whole_number(args.get("event", "")),
        open_answers=args.get("open") == "1",
        sort=sort if sort.removeprefix("-") in SORTS else "name",
        page=which_page(args.get("page", "")),
        look=whole_number(args.get("look", "")),
    )


def read_month(text: str) -> str:
    """Read "2027-02"; anything else is no month at all."""
    return text if re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text, re.ASCII) else ""


class EndCreditForm(BaseForm):
    """Why a credit does not count any more."""

    reason = StringField(_l("Why"), [InputRequired(_l("Say why, in a few words.")), AtMost(300)])
