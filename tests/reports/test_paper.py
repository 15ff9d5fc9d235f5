"""What is printed: the roster and the badges, read back from the PDF."""

import io

import pytest
from pypdf import PdfReader

from regsys.kernel.typeset import typeset
from regsys.registration.models import Registration
from tests import cast
from tests.reports.desk import (
    PRIVATE_ANSWER,
    STEWARD_SECRET,
    answer_form,
    entries,
    make_form,
    make_people,
    signed_in,
)

LETTER, A4 = (612, 792), (595, 842)
ODD = "#let Łukasz = $1$ *Zażółć* \\u{41}"


def read(answer):
    """Return the text of a PDF, the size of its first sheet in points, and how many there are."""
    pdf = PdfReader(io.BytesIO(answer.get_data()))
    text = " ".join(page.extract_text() for page in pdf.pages)
    box = pdf.pages[0].mediabox
    return " ".join(text.split()), (round(box.width), round(box.height)), len(pdf.pages)


@pytest.fixture
def full(app, db, clock):
    """An event whose form asks for secrets, with three confirmed people and one who has not paid."""
    event = cast.make_event(types={"Standard": 92000}, title="Spring", slug="spring")
    make_form(event)
    for r in make_people(event, 3):
        answer_form(r)
    cast.make_order(event, [cast.a_person("Yarrow Rushlight")])
    first = db.session.get(Registration, 1)
    first.badge_name, first.pronouns, first.credentials = ODD, "she/her", "MDiv"
    db.session.commit()
    return event


def test_the_roster_on_paper_says_what_its_page_says(app, full):
    client, address = signed_in(app, "leader", event=full), f"/lead/{full.id}/roster.pdf"
    answer = client.get(address)
    text, size, pages = read(answer)
    assert (size, pages) == (LETTER, 1)
    for part in (
        "Spring",
        "with 3 people",
        "Pat Person001",
        "Pat Person003",
        "MDiv · she/her",
        "To listen",
    ):
        assert part in text
    for secret in (PRIVATE_ANSWER, STEWARD_SECRET, "@example.org", "920", "Rushlight"):
        assert secret not in text
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert 'filename="roster-spring-2026-11-24.pdf"' in answer.headers["Content-Disposition"]
    assert read(client.get(f"{address}?paper=a4"))[1] == A4
    (taken, _again) = entries("roster.exported")
    assert (taken.event_id, taken.after) == (full.id, {"format": "pdf", "rows": 3})
    assert signed_in(app, "leader", event=cast.make_event()).get(address).status_code == 403


def test_badges_bear_the_name_that_was_chosen(app, full):
    client, address = signed_in(app), f"/organize/events/{full.id}/badges.pdf"
    text, size, pages = read(client.get(address))
    assert (size, pages) == (LETTER, 1)
    assert ODD in text
    assert "she/her" in text
    assert "Pat Person002" in text
    assert "Rushlight" not in text
    text, size, _pages = read(client.get(f"{address}?paper=a4&state=awaiting_payment"))
    assert size == A4
    assert "Yarrow Rushlight" in text
    assert "Person002" not in text
    assert [e.after["format"] for e in entries("registrations.exported")] == ["badges", "badges"]


def test_the_page_of_files_says_who_took_what_before(app, full):
    client, address = signed_in(app), f"/organize/events/{full.id}/files"
    assert "No list of this event has left yet" in client.get(address).get_data(as_text=True)
    client.get(f"/organize/events/{full.id}/badges.pdf")
    body = client.get(address).get_data(as_text=True)
    assert "exported the list: Badges, 3 rows" in body
    assert f"/organize/events/{full.id}/badges.pdf?paper=a4" in body.replace("&amp;", "&")


def test_what_cannot_be_set_is_an_error_and_no_broken_file():
    with pytest.raises(RuntimeError, match="no_such"):
        typeset("leaders/no_such.typ", {})
