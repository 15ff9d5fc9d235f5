"""Where chairs stand, and what is said beside them."""

import re

import pytest

from regsys.web.ring import (
    MOST_CHAIRS,
    Ring,
    is_dot,
    places_words,
    ring_of,
    scale,
    seats,
    states,
)


def uses(ring: Ring, pixels: int = 304) -> list[str]:
    return re.findall(r"<use[^>]*/>", ring.drawing(pixels))


def test_chairs_stand_evenly_with_the_leader_at_twelve():
    drawn = uses(ring_of(taken=5, free=27))
    assert len(drawn) == 34
    assert (
        drawn[0]
        == '<use href="#chair" class="is-leader" transform="rotate(0)translate(0-98)scale(1.45)"/>'
    )
    assert (
        drawn[1]
        == '<use href="#chair" class="is-taken" transform="rotate(10.59)translate(0-98)scale(1.45)"/>'
    )
    assert (
        drawn[17]
        == '<use href="#chair" class="is-leader" transform="rotate(180)translate(0-98)scale(1.45)"/>'
    )
    assert (
        drawn[33]
        == '<use href="#chair" class="is-free" transform="rotate(349.41)translate(0-98)scale(1.45)"/>'
    )


@pytest.mark.parametrize("places", range(6, MOST_CHAIRS + 1))
def test_every_place_is_one_chair_and_no_two_touch(places: int):
    ring = ring_of(taken=places // 2, held=1, free=places - places // 2 - 1)
    assert len(uses(ring, 88)) == places + 2
    n = places + 2
    width = 8 * scale(n, 98, dot=False)
    assert width < 2 * 3.1416 * 98 / n


def test_members_fill_clockwise_taken_yours_held_free():
    ring = ring_of(taken=2, you=1, held=1, free=4)
    assert states(ring) == [
        "leader",
        "taken",
        "taken",
        "you",
        "held",
        "leader",
        "free",
        "free",
        "free",
        "free",
    ]


def test_one_leader_sits_at_twelve_and_an_odd_circle_keeps_the_second_near_six():
    assert states(ring_of(free=10, leaders=1)).index("leader") == 0
    chairs = states(ring_of(free=9))
    assert [i for i, s in enumerate(chairs) if s == "leader"] == [0, 5]


def test_your_chair_is_a_third_larger():
    yours = next(u for u in uses(ring_of(taken=6, you=1, free=25)) if "is-you" in u)
    assert "scale(1.96)" in yours


def test_chairs_become_dots_where_a_seat_would_be_under_six_pixels():
    assert not is_dot(ring_of(free=8), 88)
    assert is_dot(ring_of(free=24), 88)
    assert not is_dot(ring_of(free=24), 304)
    assert 'href="#dot"' in uses(ring_of(free=24), 88)[0]
    assert "scale(2.26)" in uses(ring_of(free=24), 88)[0]


def test_an_inner_circle_stands_inside():
    ring = ring_of(taken=31, free=1, leaders=0, inner=ring_of(taken=6, free=2))
    drawn = uses(ring, 88)
    assert len(drawn) == 32 + 10
    assert (
        drawn[32]
        == '<use href="#dot" class="is-leader" transform="rotate(0)translate(0-60)scale(2.6)"/>'
    )


def test_beyond_forty_places_an_arc_shows_the_shares():
    ring = ring_of(taken=50, held=10, free=60)
    assert ring.is_arc
    assert not ring_of(taken=40).is_arc
    drawing = ring.drawing(304)
    assert re.findall(r'class="ring__arc (is-\w+)"', drawing) == ["is-taken", "is-held", "is-free"]
    assert drawing.count('class="is-leader"') == 2
    # Half of the 300 degrees is free: that stretch runs from noon to the lower right end.
    assert 'class="ring__arc is-free" d="M0 -98A98 98 0 0 1 49 84.87"' in drawing


def test_a_full_arc_is_one_stretch_of_300_degrees():
    assert 'd="M-49 84.87A98 98 0 1 1 49 84.87"' in ring_of(taken=60).drawing(88)


def test_negative_counts_draw_nothing():
    assert ring_of(taken=-1, free=3, leaders=0).places == 3


def test_seats_carry_initials_and_free_seats_none():
    found = seats(["SD", "AT"], ["UN", "LS"], places=8)
    assert len(found) == 10
    assert (found[0].initials, found[0].x, found[0].y) == ("SD", 0.0, -94.0)
    assert (found[5].initials, found[5].state) == ("AT", "leader")
    assert [s.initials for s in found if s.state == "taken"] == ["UN", "LS"]
    assert {s.initials for s in found if s.state == "free"} == {""}


@pytest.mark.parametrize(
    ("total", "left", "held", "words"),
    [
        (24, 11, 0, "11 of 24 places left"),
        (1, 1, 0, "1 of 1 place left"),
        (8, 5, 1, "5 of 8 places left, 1 more is held"),
        (8, 1, 2, "1 of 8 places left, 2 more are held"),
        (8, 0, 2, "No place is free now, 2 are held"),
        (8, 0, 1, "No place is free now, 1 is held"),
        (8, 0, 0, "Full"),
        (8, -1, 0, "Full"),
        (None, 0, 0, "There is room for everyone"),
    ],
)
def test_the_words_say_what_the_ring_shows(total: int | None, left: int, held: int, words: str):
    assert places_words(total, left, held) == words
