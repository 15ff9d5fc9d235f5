"""The attendee list as CSV and XLSX, read back by an independent reader."""

import csv
import io
import tracemalloc
from datetime import datetime

import openpyxl
import pytest
from sqlalchemy import text

from regsys.events.queries import find_event
from regsys.kernel.db import transaction
from regsys.questions.kinds import Audience
from regsys.registration.states import RegistrationState
from regsys.reports import exports, queries
from regsys.reports.queries import Filter

ORGANIZER = frozenset({Audience.ORGANIZER, Audience.LEADERS, Audience.GROUP})


@pytest.fixture
def app(demo_app):
    """The app that these tests look into: the one with the demo."""
    return demo_app


@pytest.fixture
def intro(db):
    """The demo's Introductory Intensive."""
    return find_event("introductory-intensive")


def _csv(chosen, audiences=ORGANIZER, *, bom=False):
    whole = "".join(exports.make_csv(chosen, audiences, str, bom=bom))
    return list(csv.DictReader(io.StringIO(whole.removeprefix("\ufeff"))))


def _sheet(event):
    with exports.make_xlsx(Filter([event.id]), ORGANIZER, str) as file:
        return openpyxl.load_workbook(file).active


def test_csv_holds_every_registration_with_its_answers(intro):
    rows = _csv(Filter([intro.id]))
    assert [r["Last name"] for r in rows] == sorted((r["Last name"] for r in rows), key=str.lower)
    assert len(rows) == 5
    assert {r["State"] for r in rows} == {"confirmed"}
    assert all(r["Goals"] or r["Career stage"] for r in rows)


def test_amounts_of_an_order_with_a_discount_agree_to_the_cent(intro):
    rows = [r for r in _csv(Filter([intro.id])) if r["Order"] == "345QZ"]
    assert sorted(r["Paid"] for r in rows) == ["390.80", "496.80", "528.80"]
    assert {r["Due"] for r in rows} == {"0.00"}
    assert sum(round(float(r["Paid"]) * 100) for r in rows) == 141640


def test_a_returned_place_shows_what_was_kept_and_given_back(intro, db):
    spokane = find_event("leadership-intensive-spokane")
    rows = _csv(Filter([spokane.id], states=[RegistrationState.CANCELLED]))
    by_code = {r["Order"]: (r["Paid"], r["Refunded"], r["Due"]) for r in rows}
    assert by_code["G6J6S"] == ("890.00", "815.00", "0.00")


def test_sums_of_the_export_are_the_sums_of_the_ledger(intro, db):
    ids = [row[0] for row in db.session.execute(text("SELECT id FROM event"))]
    rows = [row for batch in queries.stream_rows(Filter(ids), ORGANIZER) for row in batch]
    paid = db.session.scalar(
        text(
            "SELECT sum(p.amount) FROM payment p WHERE p.problem IS NULL AND EXISTS (SELECT 1 FROM "
            "order_line l WHERE l.order_id = p.order_id AND l.registration_id IS NOT NULL)"
        )
    )
    assert sum(r.paid for r in rows) == paid
    assert len({r.id for r in rows}) == len(rows) == 133


def test_who_may_not_see_an_answer_gets_no_column(intro):
    seen = _csv(Filter([intro.id]), frozenset({Audience.LEADERS, Audience.GROUP}))
    assert "Goals" in seen[0]
    assert "Dietary" not in seen[0]
    assert "Dietary" in _csv(Filter([intro.id]))[0]
    assert "Keep apart" not in _csv(Filter([intro.id]))[0]


def test_formulas_are_text_in_csv_and_xlsx(intro, db):
    with transaction():
        db.session.execute(text("UPDATE registration SET workplace = '=HYPERLINK(\"http://x\")'"))
    rows = _csv(Filter([intro.id]))
    assert rows[0]["Workplace"] == '\'=HYPERLINK("http://x")'
    sheet = _sheet(intro)
    column = [c.value for c in sheet[1]].index("Workplace") + 1
    cell = sheet.cell(2, column)
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x")', "s")


def test_xlsx_has_typed_cells_and_a_frozen_head(intro):
    sheet = _sheet(intro)
    assert sheet.freeze_panes == "A2"
    head = [c.value for c in sheet[1]]
    first = dict(zip(head, [c.value for c in sheet[2]], strict=True))
    assert isinstance(first["Paid"], int | float)
    assert isinstance(first["Created"], datetime)
    assert sheet.max_row == 6


def test_byte_order_mark_is_optional(intro):
    assert next(exports.make_csv(Filter([intro.id]), ORGANIZER, str, bom=True)).startswith(
        "\ufeffEvent,"
    )
    assert next(exports.make_csv(Filter([intro.id]), ORGANIZER, str, bom=False)).startswith(
        "Event,"
    )


@pytest.mark.in_turn
@pytest.mark.parametrize("words", ["%", "_", "'; DROP TABLE registration; --", "\\", "\x00"])
def test_hostile_search_words_find_nothing(intro, words):
    assert queries.count_rows(Filter([intro.id], words=words.replace("\x00", ""))) in (0, 5)
    assert queries.count_rows(Filter([intro.id])) == 5


def test_a_name_is_found_however_it_is_written(intro, db):
    with transaction():
        db.session.execute(
            text("UPDATE registration SET last_name = 'Åström' WHERE code = 'EBC-1038'")
        )
    for words in ("Åström", "åström", "ström", "ÅSTRÖM"):
        assert queries.count_rows(Filter([intro.id], words=words)) == 1, words


@pytest.mark.once
def test_ten_thousand_rows_hold_only_a_few_megabytes(intro, db):
    with transaction():
        db.session.execute(text(_MANY))
    chosen = Filter([intro.id])
    assert queries.count_rows(chosen) == 10_005
    tracemalloc.start()
    size = sum(len(part) for part in exports.make_csv(chosen, ORGANIZER, str, bom=False))
    csv_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with exports.make_xlsx(chosen, ORGANIZER, str) as file:
        assert openpyxl.load_workbook(file, read_only=True).active.max_row is not None
        xlsx_size = file.seek(0, 2)
    assert size > 1_000_000
    assert xlsx_size > 200_000
    assert csv_peak < 8_000_000


_MANY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
INSERT INTO registration (code, token_hash, token, order_id, event_id, ticket_type_id, state, state_at, rate, price,
  is_payer, first_name, last_name, badge_name, pronouns, email, email_key, phone, profession, credentials, workplace,
  city, time_zone, created_at, ended_by, end_reason, sequence, note)
SELECT 'X' || i, 'h' || i, token, order_id, event_id, ticket_type_id, 'cancelled', state_at, rate, price, is_payer,
  'Many', 'Person ' || i, '', '', 'many' || i || '@example.org', 'many' || i || '@example.org', '', '', '', '', '', '',
  created_at, '', '', 0, ''
FROM n, (SELECT * FROM registration WHERE code = 'EBC-1038') r
"""
