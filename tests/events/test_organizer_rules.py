"""Which days a series has, what keeps an event from being shown, and what may have been forgotten."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from regsys.events import rules
from regsys.events.kinds import Enrollment, EventKind, EventMode, LeaderLevel, Visibility
from regsys.events.rules import Every, GapFacts, PublishFacts
from regsys.kernel.zones import Clocks, carry, is_known, later, moment, wall_time

NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)
PACIFIC, BERLIN = "America/Los_Angeles", "Europe/Berlin"


class TestSeries:
    @pytest.mark.parametrize(
        ("first", "every", "count", "expected"),
        [
            ("2026-10-27", Every.WEEK, 3, ["2026-10-27", "2026-11-03", "2026-11-10"]),
            ("2026-12-22", Every.TWO_WEEKS, 3, ["2026-12-22", "2027-01-05", "2027-01-19"]),
            # The first Saturday.
            ("2027-02-06", Every.MONTH, 3, ["2027-02-06", "2027-03-06", "2027-04-03"]),
            # The second Tuesday, over the end of the year.
            ("2026-11-10", Every.MONTH, 3, ["2026-11-10", "2026-12-08", "2027-01-12"]),
            # The fourth Sunday is the last one of February, and not of January.
            ("2027-01-24", Every.MONTH, 3, ["2027-01-24", "2027-02-28", "2027-03-28"]),
            ("2027-01-31", Every.LAST_OF_MONTH, 3, ["2027-01-31", "2027-02-28", "2027-03-28"]),
            # A fifth Saturday does not come every month: the last one does.
            ("2027-01-30", Every.MONTH, 3, ["2027-01-30", "2027-02-27", "2027-03-27"]),
            ("2027-01-30", Every.MONTH, 1, ["2027-01-30"]),
        ],
    )
    def test_the_days_of_a_series(
        self, first: str, every: Every, count: int, expected: list[str]
    ) -> None:
        days = rules.repeat(date.fromisoformat(first), every, count)
        assert [d.isoformat() for d in days] == expected

    @pytest.mark.parametrize(
        ("zone", "first", "offsets"),
        [
            # The clocks go back on 1 Nov 2026 and forward on 14 Mar 2027.
            (PACIFIC, "2026-10-27", [-7, -8, -8]),
            (PACIFIC, "2027-03-09", [-8, -7, -7]),
            # In Europe on 25 Oct 2026 and 28 Mar 2027.
            (BERLIN, "2026-10-20", [2, 1, 1]),
            (BERLIN, "2027-03-23", [1, 2, 2]),
            ("America/Phoenix", "2027-03-09", [-7, -7, -7]),
        ],
    )
    def test_a_series_keeps_its_wall_time_when_the_clocks_change(
        self, zone: str, first: str, offsets: list[int]
    ) -> None:
        days = rules.repeat(date.fromisoformat(first), Every.WEEK, 3)
        at = [moment(datetime(d.year, d.month, d.day, 18, 30), zone) for d in days]  # noqa: DTZ001
        assert [m.at.hour for m in at] == [(18 - offset) % 24 for offset in offsets]
        assert {wall_time(m.at, zone).isoformat()[11:] for m in at} == {"18:30:00"}
        assert {m.clocks for m in at} == {Clocks.STEADY}


class TestWallClocks:
    @pytest.mark.parametrize(
        ("wall", "zone", "at", "clocks"),
        [
            ("2027-03-14T01:59", PACIFIC, "2027-03-14T09:59", Clocks.STEADY),
            ("2027-03-14T02:30", PACIFIC, "2027-03-14T10:30", Clocks.SKIPPED),
            ("2027-03-14T03:00", PACIFIC, "2027-03-14T10:00", Clocks.STEADY),
            ("2026-11-01T00:59", PACIFIC, "2026-11-01T07:59", Clocks.STEADY),
            ("2026-11-01T01:30", PACIFIC, "2026-11-01T08:30", Clocks.TWICE),
            ("2026-11-01T02:00", PACIFIC, "2026-11-01T10:00", Clocks.STEADY),
            ("2027-03-28T02:30", BERLIN, "2027-03-28T01:30", Clocks.SKIPPED),
            ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30", Clocks.TWICE),
        ],
    )
    def test_skipped_and_doubled_times(self, wall: str, zone: str, at: str, clocks: Clocks) -> None:
        found = moment(datetime.fromisoformat(wall), zone)
        assert (found.at.isoformat()[:16], found.clocks) == (at, clocks)

    def test_what_is_stored_is_kept_where_it_shows_the_same_time(self) -> None:
        second = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
        assert moment(wall_time(second, PACIFIC), PACIFIC, stored=second).at == second

    def test_another_zone_shows_the_same_wall_time(self) -> None:
        morning = moment(datetime(2027, 5, 14, 9), PACIFIC).at  # noqa: DTZ001
        assert wall_time(carry(morning, PACIFIC, BERLIN), BERLIN).hour == 9

    def test_later_days_show_the_same_wall_time(self) -> None:
        morning = moment(datetime(2027, 3, 10, 9), PACIFIC).at  # noqa: DTZ001
        assert later(morning, 7, PACIFIC) - morning == timedelta(days=7, hours=-1)

    @pytest.mark.parametrize(
        ("zone", "known"),
        [
            (PACIFIC, True),
            ("UTC", True),
            ("Mars/Olympus", False),
            ("../etc/passwd", False),
            ("", False),
        ],
    )
    def test_which_zones_people_may_choose(self, zone: str, known: bool) -> None:
        assert is_known(zone) is known


FINE = PublishFacts(
    title="Intensive",
    kind=EventKind.LEADERSHIP_TRAINING_INTENSIVE,
    enrollment=Enrollment.OPEN,
    visibility=Visibility.PUBLIC,
    starts_at=NOW + timedelta(days=100),
    ends_at=NOW + timedelta(days=103),
    time_zone=PACIFIC,
    currency="USD",
    prices=((60000, 54000), (0,)),
)
GROUP = replace(FINE, kind=EventKind.OPEN_ENROLLMENT_GROUP)
EXTERNAL = replace(FINE, enrollment=Enrollment.EXTERNAL, prices=())


class TestPublishing:
    @pytest.mark.parametrize(
        ("facts", "names"),
        [
            (FINE, []),
            (replace(FINE, title="  "), ["NoTitle"]),
            (replace(FINE, prices=()), ["NoPrice"]),
            (replace(FINE, prices=((49,),)), ["PriceNotChargeable"]),
            (replace(FINE, enrollment=Enrollment.APPLICATION, prices=()), ["NoPrice"]),
            (replace(FINE, enrollment=Enrollment.HOST_APPROVES, prices=()), []),
            (replace(FINE, time_zone="Mars/Olympus"), ["NoZone"]),
            (replace(FINE, ends_at=NOW), ["EventOver"]),
            (replace(FINE, opens_at=NOW, closes_at=NOW), ["OpensAfterClosing"]),
            (replace(FINE, closes_at=FINE.starts_at), []),
            (replace(FINE, closes_at=FINE.starts_at + timedelta(minutes=1)), ["OpenAfterStart"]),
            (replace(FINE, opens_at=FINE.starts_at + timedelta(minutes=1)), ["OpenAfterStart"]),
            (replace(FINE, visibility=Visibility.PRIVATE_LINK), ["NoKey"]),
            (replace(FINE, visibility=Visibility.PRIVATE_LINK, has_key=True), []),
            (GROUP, ["NoLeader"]),
            (replace(GROUP, kind=EventKind.ROTATING_LEADER_GROUP), ["NoLeader"]),
            (replace(GROUP, levels=(LeaderLevel.MEMBER,)), ["NoLeader"]),
            (replace(GROUP, levels=(LeaderLevel.MEMBER, LeaderLevel.LEADER_IN_TRAINING)), []),
            (replace(GROUP, levels=(LeaderLevel.SUPERVISOR,)), []),
            (EXTERNAL, ["NoElsewhere"]),
            (
                replace(EXTERNAL, external_name="X", external_url="javascript:alert(1)"),
                ["NoElsewhere"],
            ),
            (replace(EXTERNAL, external_name="X", external_url="https://x.example"), []),
            (replace(FINE, enrollment=Enrollment.CONTACT_LEADER, prices=()), ["NobodyToAsk"]),
            (
                replace(FINE, enrollment=Enrollment.CONTACT_LEADER, prices=(), can_be_asked=True),
                [],
            ),
            (replace(GROUP, title="", prices=()), ["NoTitle", "NoLeader", "NoPrice"]),
        ],
    )
    def test_what_is_missing(self, facts: PublishFacts, names: list[str]) -> None:
        assert [r.name for r in rules.why_not_publish(facts, NOW)] == names

    @pytest.mark.parametrize(
        ("amount", "currency", "name"),
        [
            (0, "USD", None),
            (50, "USD", None),
            (49, "USD", "PriceNotChargeable"),
            (50, "JPY", None),
            (29, "GBP", "PriceNotChargeable"),
            (1000, "KWD", None),
            (1001, "KWD", "PriceNotRound"),
        ],
    )
    def test_what_a_card_can_be_charged_with(
        self, amount: int, currency: str, name: str | None
    ) -> None:
        refusal = rules.why_not_price(amount, currency)
        assert (refusal.name if refusal else None) == name

    def test_a_refusal_of_a_price_names_the_least(self) -> None:
        refusal = rules.why_not_price(20, "JPY")
        assert refusal is not None
        assert (refusal.facts["amount"], refusal.facts["least"]) == ("20", "50")

    @pytest.mark.parametrize(("holding", "name"), [(0, None), (3, "PlacesHeld")])
    def test_cancelling_with_people_inside(self, holding: int, name: str | None) -> None:
        refusal = rules.why_not_cancel(holding)
        assert (refusal.name if refusal else None) == name

    @pytest.mark.parametrize(("used", "name"), [(False, None), (True, "PlacesUsed")])
    def test_hiding_what_people_registered_for(self, used: bool, name: str | None) -> None:
        refusal = rules.why_not_hide(used)
        assert (refusal.name if refusal else None) == name


NO_GAPS = GapFacts(
    mode=EventMode.HYBRID,
    enrollment=Enrollment.OPEN,
    visibility=Visibility.PUBLIC,
    has_venue=True,
    has_link=True,
    has_sessions=True,
    has_leaders=True,
    has_limit=True,
    has_early_price=True,
    has_early_rule=True,
)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (replace(NO_GAPS, has_venue=False), "house or hall"),
        (replace(NO_GAPS, has_link=False), "link for joining"),
        (replace(NO_GAPS, has_sessions=False), "schedule is empty"),
        (replace(NO_GAPS, has_leaders=False), "Nobody leads"),
        (replace(NO_GAPS, has_limit=False), "never run out"),
        (replace(NO_GAPS, has_early_rule=False), "neither a date nor a number"),
        (replace(NO_GAPS, has_early_price=False), "no ticket type has an early price"),
    ],
)
def test_each_gap_is_named_alone(facts: GapFacts, word: str) -> None:
    (gap,) = rules.list_gaps(facts)
    assert word in gap


def test_without_gaps_nothing_is_named() -> None:
    assert rules.list_gaps(NO_GAPS) == []
    online = replace(NO_GAPS, mode=EventMode.ONLINE, has_venue=False)
    in_person = replace(NO_GAPS, mode=EventMode.IN_PERSON, has_link=False)
    elsewhere = replace(NO_GAPS, enrollment=Enrollment.EXTERNAL, has_limit=False, has_link=False)
    assert [rules.list_gaps(f) for f in (online, in_person, elsewhere)] == [[], [], []]
