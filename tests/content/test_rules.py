"""Pure questions about pages and inquiries."""

from datetime import date

import pytest

from regsys.content import rules
from regsys.content.kinds import InquiryKind


@pytest.mark.parametrize(
    ("trap", "seconds", "refusal"),
    [
        ("", 3, None),
        ("", 86_400, None),
        ("", 2, "TooQuick"),
        ("", -5, "TooQuick"),
        ("", None, "FormUnknown"),
        ("x", 600, "TrapFilled"),
        ("x", None, "TrapFilled"),
    ],
)
def test_what_no_person_would_send_is_suspicious(
    trap: str, seconds: int | None, refusal: str | None
) -> None:
    found = rules.why_suspicious(trap=trap, seconds=seconds)
    assert (found.name if found else None) == refusal


@pytest.mark.parametrize("slug", ["a", "what-we-do", "2027", "a" * 80])
def test_an_address_of_letters_digits_and_hyphens_is_good(slug: str) -> None:
    assert rules.why_bad_slug(slug) is None


@pytest.mark.parametrize(
    "slug", ["", "-a", "a-", "a--b", "A", "a b", "a/b", "ä", "a\n", "a.b", "a" * 81, "٣"]
)
def test_any_other_address_is_refused(slug: str) -> None:
    refusal = rules.why_bad_slug(slug)
    assert refusal is not None
    assert refusal.name == "BadSlug"


def test_every_kind_of_inquiry_has_a_name_and_says_what_it_asks() -> None:
    assert set(rules.KIND_NAMES) == set(InquiryKind)
    assert set(rules.ASKS) == set(InquiryKind)


@pytest.mark.parametrize(
    ("published", "day", "out"), [(True, 24, True), (True, 25, False), (False, 24, False)]
)
def test_news_is_out_from_its_day_on(published: bool, day: int, out: bool) -> None:
    assert rules.is_out(published, date(2026, 11, day), date(2026, 11, 24)) == out
