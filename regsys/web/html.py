"""What every template may use: money, dates, safe Markdown, addresses of static files, the ring, paging.

Dates are shown in the zone of the event, always with weekday and zone; the parts that belong together are joined by
no-break spaces. The same functions serve the letters.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import nh3
from babel.dates import format_date, format_datetime
from flask import Flask, current_app, has_request_context, request
from flask_babel import gettext as _
from flask_babel import ngettext
from jinja2 import StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from regsys.kernel import money as kernel_money
from regsys.web import ring as rings
from regsys.web import texts
from regsys.web.texts import locale_name

T = TypeVar("T")
NBSP = "\u00a0"
DAY = f"EEE{NBSP}d{NBSP}MMM"


class Places(Protocol):
    """What can be said in words and drawn as a ring; `total` None means without limit."""

    @property
    def total(self) -> int | None: ...
    @property
    def left(self) -> int: ...
    @property
    def held(self) -> int: ...


# ---- money


def money(amount: int, currency: str) -> str:
    """Return "$920.00" for an amount in minor units."""
    return kernel_money.show(amount, currency, locale_name())


def whole(text: str) -> Markup:
    """Keep a number with hyphens on one line."""
    return Markup('<span class="nowrap">{}</span>').format(text)


# ---- dates


def _local(value: datetime, zone: str) -> datetime:
    return value.astimezone(ZoneInfo(zone))


def _abbreviation(local: datetime) -> str:
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def _format(local: datetime, pattern: str) -> str:
    return _written(local.replace(tzinfo=None), pattern, locale_name())


# A page shows the same few moments again and again, and for the next visitor too.
@lru_cache(maxsize=4096)
def _written(wall: date, pattern: str, locale: str) -> str:
    """Write a wall time, or a plain date; the pattern names no zone."""
    if isinstance(wall, datetime):
        return format_datetime(wall, pattern, locale=locale)
    return format_date(wall, pattern, locale=locale)


def when(value: datetime, zone: str) -> str:
    """Return "Thu 22 Apr 2027, 12:30 PM PDT"."""
    return f"{day(value, zone)}, {clock(value, zone)}"


def day(value: date, zone: str | None = None) -> str:
    """Return "Thu 22 Apr 2027" for a moment in a zone, or for a plain date."""
    if isinstance(value, datetime):
        value = _local(value, zone or "UTC").date()
    return _written(value, f"{DAY} y", locale_name())


def clock(value: datetime, zone: str) -> str:
    """Return "12:30 PM PDT"."""
    local = _local(value, zone)
    return _format(local, f"h:mm{NBSP}a") + NBSP + _abbreviation(local)


def hours(start: datetime, end: datetime, zone: str) -> str:
    """Return "6:30 – 8:15 PM": for lists whose zone is said once above them."""
    a, b = _local(start, zone), _local(end, zone)
    half = "h:mm" if _format(a, "a") == _format(b, "a") and a.date() == b.date() else f"h:mm{NBSP}a"
    return f"{_format(a, half)}{NBSP}– {_format(b, f'h:mm{NBSP}a')}"


def times(start: datetime, end: datetime, zone: str) -> str:
    """Return "Thu 10 Dec 2026, 6:30 to 8:15 PM PST", or both moments in full where the day differs."""
    a, b = _local(start, zone), _local(end, zone)
    if a.date() != b.date():
        return _("%(start)s, to %(end)s", start=when(start, zone), end=when(end, zone))
    half = "h:mm" if _format(a, "a") == _format(b, "a") else f"h:mm{NBSP}a"
    span = _("%(start)s to %(end)s", start=_format(a, half), end=clock(end, zone))
    return f"{day(start, zone)}, {span}"


def days(start: datetime, end: datetime, zone: str) -> str:
    """Return "Thu 22 to Sun 25 Apr 2027": the days of an event, without hours."""
    a, b = _local(start, zone).date(), _local(end, zone).date()
    if a == b:
        return day(a)
    pattern = f"EEE{NBSP}d" if (a.year, a.month) == (b.year, b.month) else DAY
    first = day(a) if a.year != b.year else _written(a, pattern, locale_name())
    return _("%(start)s to %(end)s", start=first, end=day(b))


def deadline(value: datetime, zone: str) -> str:
    """Return the moment like `when`; midnight is shown as 11:59 PM of the day that it ends."""
    local = _local(value, zone)
    if (local.hour, local.minute) == (0, 0):
        value = value - timedelta(minutes=1)
    return when(value, zone)


def iso(value: date, zone: str | None = None) -> str:
    """Return the value of a `datetime` attribute, with the offset of the zone."""
    if isinstance(value, datetime):
        return _local(value, zone or "UTC").isoformat(timespec="minutes")
    return value.isoformat()


def minutes(count: int) -> str:
    """Return "21 minutes", for time that is left."""
    if count < 1:
        return _("less than a minute")
    return ngettext("%(num)d minute", "%(num)d minutes", count)


# ---- words


def places_words(places: Places) -> str:
    """Return "11 of 24 places left"."""
    return rings.places_words(places.total, places.left, places.held)


def ring_for(places: Places, leaders: int = 2, you: int = 0) -> rings.Ring | None:
    """Return the ring of some places; None where they are not limited."""
    if places.total is None:
        return None
    taken = places.total - places.left - places.held - you
    return rings.ring_of(taken, places.held, places.left, leaders, you)


def initials(name: str) -> str:
    """Return "UN" for "Undine Nutkin"."""
    words = name.split()
    return "".join(w[0] for w in (words[0], words[-1])[: len(words)]).upper() if words else ""


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt"}, "ol": {"start"}}


@lru_cache(maxsize=512)
def markdown(text: str, top: int = 2) -> Markup:
    """Return safe HTML: no raw HTML, no pictures from elsewhere.

    The highest heading that the text uses becomes `top`, the next one below it, so that no step is left out.
    """
    tokens = _MARKDOWN.parse(text)
    used = sorted({t.tag for t in tokens if t.type == "heading_open"})
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(top + used.index(token.tag), 4)}"
        for child in token.children or ():
            if child.type == "image" and not _own(str(child.attrs["src"])):
                child.type = "text"  # its content is the alternative text
    made = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    safe = nh3.clean(
        str(made),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener",
    )
    return Markup(safe)


def _own(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")


# ---- addresses


_digests: dict[str, tuple[int, str]] = {}


def asset(path: str) -> str:
    """Return the address of a static file with a hash of its content, so that it may be cached for ever.

    Fonts come without the hash: the style sheets name them by their plain address, and two addresses are two downloads.
    """
    root = request.script_root if has_request_context() else ""
    address = f"{root}{current_app.static_url_path or '/static'}/{path}"
    if path.startswith("fonts/"):
        return address
    return f"{address}?v={_digest(f'{current_app.static_folder}/{path}')}"


def _digest(file: str) -> str:
    changed = os.stat(file).st_mtime_ns
    known = _digests.get(file)
    if known and known[0] == changed:
        return known[1]
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:10]
    _digests[file] = (changed, digest)
    return digest


def here(**changes: Any) -> str:
    """Return this page's address with query values changed; None drops a value."""
    values: dict[str, Any] = request.args.to_dict(flat=False)
    values.update(changes)
    query = urlencode({k: v for k, v in values.items() if v is not None}, doseq=True)
    return request.script_root + request.path + (f"?{query}" if query else "")


# ---- lists and forms


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list: `number` counts from 1, `total` is the length of the whole list."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @staticmethod
    def offset_of(number: int, size: int) -> int:
        return (max(number, 1) - 1) * size

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return self.offset_of(self.number, self.size) + 1 if self.items else 0

    @property
    def last(self) -> int:
        return self.offset_of(self.number, self.size) + len(self.items)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


# WTForms' own sentences, which say nothing without the name of the field.
_BARE = ("This field is required.", "Not a valid choice.", "Not a valid choice")


def form_errors(forms: Any) -> list[tuple[str, str]]:
    """Return (id of the control, sentence) for everything wrong in a form, or in several, in their order."""
    several = forms if isinstance(forms, list | tuple) else [forms]
    return [found for form in several for found in [*_whole(form), *_wrong(form)]]


def _whole(form: Any) -> list[tuple[str, str]]:
    """What is wrong with the form as a whole points to its first control."""
    sentences = getattr(form, "form_errors", None) or []
    first = next(
        (control_id(f) for f in form if f.type not in {"CSRFTokenField", "HiddenField"}), "main"
    )
    return [(first, str(s)) for s in sentences]


def _wrong(fields: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for f in fields:
        if f.type in {"FormField", "FieldList"}:
            yield from _wrong(f)
            own = [e for e in f.errors if isinstance(e, str)] if f.type == "FieldList" else []
        else:
            own = list(f.errors)
        bare = {f.gettext(sentence) for sentence in _BARE}
        yield from ((control_id(f), f"{f.label.text}: {s}" if s in bare else str(s)) for s in own)


def control_id(f: Any) -> str:
    """Return the id of what takes the focus: in a group of choices that is the first choice."""
    return f"{f.id}-0" if control_kind(f) == "choices" else str(f.id)


def control_kind(f: Any) -> str:
    """Return how a field is drawn: choices, tick, select, textarea, hidden or input."""
    if getattr(getattr(f, "option_widget", None), "input_type", None):
        return "choices"
    kind = getattr(f.widget, "input_type", None) or type(f.widget).__name__.lower()
    return {"checkbox": "tick"}.get(
        kind, kind if kind in {"select", "textarea", "hidden"} else "input"
    )


def may_stay_empty(f: Any) -> bool:
    """Tell whether a field can be left empty: a menu without an empty choice always says something."""
    if f.flags.required:
        return False
    return control_kind(f) != "select" or any(value in ("", None) for value, *_ in f.iter_choices())


def spark_path(counts: Sequence[int], width: int = 120, height: int = 30) -> str:
    """Return the path of a pace line, one step for each count."""
    if len(counts) < 2:
        return f"M0 {height - 2} H{width}"
    most, step = max(*counts, 1), width / (len(counts) - 1)
    points = (
        f"{i * step:.4g} {height - 2 - c / most * (height - 5):.4g}" for i, c in enumerate(counts)
    )
    return "M" + " L".join(points)


FILTERS = (
    money, whole, when, day, clock, hours, times, days, deadline, iso, minutes, places_words, initials, markdown,
)  # fmt: skip


def register(app: Flask) -> None:
    """Give the filters and functions to the templates; a name that is not there is an error, never empty."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.policies["ext.i18n.trimmed"] = True
    texts.register(app)
    env.filters.update({f.__name__: f for f in FILTERS})
    env.globals.update(
        asset=asset, here=here, ring_of=rings.ring_of, ring_for=ring_for, ring_pixels=rings.SIZES, seats=rings.seats,
        form_errors=form_errors, control_kind=control_kind, may_stay_empty=may_stay_empty, spark_path=spark_path,
    )  # fmt: skip
