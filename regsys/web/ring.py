"""The ring: where each chair of a group stands, in plan, and the same fact in words.

The drawing is 240 units wide with the middle at 0 0. Chairs stand on a circle of radius 98, the leader at twelve
o'clock and the co-leader opposite; members fill the rest clockwise: taken, yours, held, free.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, radians, sin

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

OUTER, INNER, NAMED = 98.0, 60.0, 94.0
MOST_CHAIRS = 40
YOU_SCALE = 1.35
SIZES = {"": 88, "tiny": 44, "row": 68, "small": 64, "event": 304, "hero": 368}
# An arc leaves its lower end open: there the leaders sit.
ARC_END = 150.0


@dataclass(frozen=True)
class Ring:
    """A circle of places; `you` chairs are yours and counted nowhere else, `inner` is a second circle inside."""

    taken: int = 0
    held: int = 0
    free: int = 0
    leaders: int = 2
    you: int = 0
    inner: "Ring | None" = None

    @property
    def places(self) -> int:
        return self.taken + self.you + self.held + self.free

    @property
    def is_arc(self) -> bool:
        """Tell whether there are too many places to draw each as a chair."""
        return self.places > MOST_CHAIRS

    def drawing(self, pixels: int = 88) -> Markup:
        """Return the SVG content; `pixels` is the width on screen, which decides between chairs and dots."""
        return Markup(_draw(self, pixels))


def ring_of(
    taken: int = 0,
    held: int = 0,
    free: int = 0,
    leaders: int = 2,
    you: int = 0,
    inner: Ring | None = None,
) -> Ring:
    """Return a ring from counts; what is below nought counts as nought."""
    return Ring(max(taken, 0), max(held, 0), max(free, 0), max(leaders, 0), max(you, 0), inner)


def states(ring: Ring) -> list[str]:
    """Return the state of each chair, clockwise from twelve o'clock."""
    n = ring.places + ring.leaders
    chairs = [""] * n
    for j in range(ring.leaders):
        chairs[j * n // ring.leaders] = "leader"
    members = (
        ["taken"] * ring.taken + ["you"] * ring.you + ["held"] * ring.held + ["free"] * ring.free
    )
    rest = iter(members)
    return [state or next(rest) for state in chairs]


def scale(n: int, radius: float, *, dot: bool) -> float:
    """Return by how much a chair or a dot grows so that n of them have room on the circle."""
    most, width = (2.6, 10.5) if dot else (3.3, 12.5)
    return min(most, 2 * pi * radius / max(n, 1) / width)


def is_dot(ring: Ring, pixels: int) -> bool:
    """Tell whether a chair's seat (8 units wide) would be smaller than 6 px on screen."""
    return 8 * scale(ring.places + ring.leaders, OUTER, dot=False) * pixels / 240 < 6


@lru_cache(maxsize=1024)
def _draw(ring: Ring, pixels: int) -> str:
    if ring.is_arc:
        return _arc(ring)
    dot = is_dot(ring, pixels)
    outer = _circle(ring, OUTER, dot=dot)
    return outer + (_circle(ring.inner, INNER, dot=dot) if ring.inner else "")


def _circle(ring: Ring, radius: float, *, dot: bool) -> str:
    chairs = states(ring)
    k = scale(len(chairs), radius, dot=dot)
    return "".join(
        _use(
            state, 360 * i / len(chairs), radius, k * (YOU_SCALE if state == "you" else 1), dot=dot
        )
        for i, state in enumerate(chairs)
    )


def _use(state: str, angle: float, radius: float, k: float, *, dot: bool) -> str:
    shape = "dot" if dot else "chair"
    place = f"rotate({_n(angle)})translate(0-{_n(radius)})scale({_n(k)})"
    return f'<use href="#{shape}" class="is-{state}" transform="{place}"/>'


def _arc(ring: Ring) -> str:
    """Return an arc with a stretch for each state, its length as the number of places."""
    parts, start = [], -ARC_END
    for state, count in (
        ("taken", ring.taken),
        ("you", ring.you),
        ("held", ring.held),
        ("free", ring.free),
    ):
        end = start + 2 * ARC_END * count / ring.places
        if count:
            parts.append(f'<path class="ring__arc is-{state}" d="{_stretch(start, end)}"/>')
        start = end
    middle = (min(ring.leaders, 2) - 1) / 2
    parts += [
        _use("leader", 180 + (i - middle) * 20, OUTER, 2.6, dot=True)
        for i in range(min(ring.leaders, 2))
    ]
    return "".join(parts)


def _stretch(start: float, end: float) -> str:
    (x1, y1), (x2, y2) = _point(start, OUTER), _point(end, OUTER)
    large = 1 if end - start > 180 else 0
    return f"M{_n(x1)} {_n(y1)}A{_n(OUTER)} {_n(OUTER)} 0 {large} 1 {_n(x2)} {_n(y2)}"


def _point(angle: float, radius: float) -> tuple[float, float]:
    return radius * sin(radians(angle)), -radius * cos(radians(angle))


def _n(value: float) -> str:
    """Return a number with at most two decimals, without trailing noughts."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Seat:
    """One seat of a ring with initials."""

    x: float
    y: float
    initials: str
    state: str


def seats(leaders: list[str], members: list[str], places: int = 0) -> list[Seat]:
    """Return the seats of a ring with initials: leader on top, co-leader opposite, free ones last."""
    free = max(places - len(members), 0)
    ring = ring_of(taken=len(members), free=free, leaders=len(leaders))
    chairs, names = (
        states(ring),
        {"leader": iter(leaders), "taken": iter(members), "free": iter([""] * free)},
    )
    found = []
    for i, state in enumerate(chairs):
        x, y = _point(360 * i / len(chairs), NAMED)
        found.append(Seat(round(x, 2), round(y, 2), next(names[state]), state))
    return found


def places_words(total: int | None, left: int, held: int = 0) -> str:
    """Return the same fact in words: "11 of 24 places left"; `total` None means without limit."""
    if total is None:
        return _("There is room for everyone")
    if left <= 0 and held <= 0:
        return _("Full")
    if left <= 0:
        return ngettext(
            "No place is free now, %(num)d is held", "No place is free now, %(num)d are held", held
        )
    words = ngettext(
        "%(left)d of %(num)d place left", "%(left)d of %(num)d places left", total, left=left
    )
    if held <= 0:
        return words
    more = ngettext("%(num)d more is held", "%(num)d more are held", held)
    return f"{words}, {more}"
