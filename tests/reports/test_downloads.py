"""Lists that leave the house, over HTTP and by the command; each is written down."""

import csv
import io

import openpyxl
from click.testing import CliRunner

from regsys.kernel.db import transaction
from regsys.reports.cli import export
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


def rows_of(answer):
    """Return the rows of a CSV answer."""
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def sheet_of(answer):
    """Return the rows of an XLSX answer as dicts."""
    rows = openpyxl.load_workbook(io.BytesIO(answer.get_data())).active.iter_rows(values_only=True)
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_csv_and_xlsx_hold_the_same_people(app, db, clock):
    event = cast.make_event(types={"Standard": 92000}, title="Spring", slug="spring")
    make_form(event)
    (r, _other) = make_people(event, 2)
    answer_form(r)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    as_csv, as_xlsx = client.get(f"{base}/export.csv"), client.get(f"{base}/export.xlsx")
    people = rows_of(as_csv)
    assert [(p["Last name"], p["Paid"], p["food"]) for p in people] == [
        ("Person001", "920.00", PRIVATE_ANSWER),
        ("Person002", "920.00", ""),
    ]
    workbook = sheet_of(as_xlsx)
    assert [(p["Last name"], p["Paid"], p["food"]) for p in workbook] == [
        ("Person001", 920, PRIVATE_ANSWER),
        ("Person002", 920, None),
    ]
    assert STEWARD_SECRET not in as_csv.get_data(as_text=True)
    assert "apart" not in people[0]
    assert "apart" not in workbook[0]
    for answer, ending in ((as_csv, "csv"), (as_xlsx, "xlsx")):
        name = f"spring-2026-11-24.{ending}"
        assert f"attachment; filename={name}" in answer.headers["Content-Disposition"].replace(
            '"', ""
        )
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_answer_streams_and_begins_with_a_mark_where_it_is_asked_for(app, db, clock):
    event = cast.make_event()
    make_people(event, 1)
    client = signed_in(app)
    address = f"/organize/events/{event.id}/export.csv"
    # A body that is made on the way has no length beforehand.
    assert "Content-Length" not in client.get(address).headers
    assert client.get(f"{address}?bom=1").get_data().startswith(b"\xef\xbb\xbfEvent,")
    assert client.get(address).get_data().startswith(b"Event,")


def test_an_export_keeps_the_filter_and_is_written_down(app, db, clock):
    event = cast.make_event(types={"Standard": 92000})
    make_people(event, 2)
    cast.make_order(event, [cast.a_person("Yarrow Rushlight")])
    client, base = signed_in(app), f"/organize/events/{event.id}"
    held = rows_of(client.get(f"{base}/export.csv?state=awaiting_payment"))
    assert [r["Last name"] for r in held] == ["Rushlight"]
    found = sheet_of(client.get(f"{base}/export.xlsx?q=person002&sort=-created"))
    assert [r["Last name"] for r in found] == ["Person002"]
    first, second = entries("registrations.exported")
    assert (first.event_id, first.actor_label.split()[0]) == (event.id, "Registrar")
    assert first.after == {"format": "csv", "rows": 1, "states": ["awaiting_payment"]}
    assert second.after == {
        "format": "xlsx",
        "rows": 1,
        "states": ["awaiting_payment", "confirmed"],
        "words": "person002",
    }


def test_a_list_across_events_holds_only_those_in_scope(app, db, clock):
    mine, other = cast.make_event(title="Mine"), cast.make_event(title="Other")
    make_people(mine, 1)
    make_people(other, 1, first=2)
    scoped = signed_in(app, "registrar", event=mine)
    for answer in (
        rows_of(scoped.get("/organize/registrations/export.csv")),
        sheet_of(scoped.get("/organize/registrations/export.xlsx")),
    ):
        assert [(r["Event"], r["Last name"]) for r in answer] == [("Mine", "Person001")]
    everything = rows_of(signed_in(app).get("/organize/registrations/export.csv"))
    assert [r["Event"] for r in everything] == ["Mine", "Other"]
    chosen = signed_in(app).get(f"/organize/registrations/export.csv?event={other.id}")
    assert [r["Event"] for r in rows_of(chosen)] == ["Other"]
    assert {e.event_id for e in entries("registrations.exported")} == {None}


def test_an_answer_stays_as_hidden_as_it_was_promised_and_as_it_is_now(app, db, clock):
    event = cast.make_event(types={"Standard": 0})
    narrowed = cast.make_question(event, "narrowed", visible_to="organizer")
    (r,) = make_people(event, 1)
    cast.make_answers(r, narrowed="told to organizers only")
    with transaction():
        narrowed = db.session.merge(narrowed)
        narrowed.retired_at = clock.now
    cast.make_question(event, "narrowed", visible_to="steward", version=2)
    client = signed_in(app)
    for address in (
        f"/organize/events/{event.id}/export.csv",
        f"/organize/events/{event.id}/registrations/{r.id}?private=1",
    ):
        assert "told to organizers only" not in client.get(address).get_data(as_text=True)


def test_the_command_writes_both_files_and_is_written_down(app, db, clock, tmp_path):
    event = cast.make_event(slug="spring")
    make_people(event, 2)
    files = [tmp_path / "people.csv", tmp_path / "people.xlsx"]
    done = CliRunner().invoke(
        export, ["spring", "--csv", str(files[0]), "--bom", "--xlsx", str(files[1])]
    )
    assert done.exit_code == 0, done.output
    people = csv.DictReader(io.StringIO(files[0].read_text(encoding="utf-8-sig")))
    assert [p["Last name"] for p in people] == ["Person001", "Person002"]
    assert openpyxl.load_workbook(files[1]).active.max_row == 3
    assert [e.actor_label for e in entries("registrations.exported")] == ["regsys export"] * 2


def test_the_command_refuses_what_it_cannot_do(app, db, clock):
    nothing = CliRunner().invoke(export, ["spring"])
    assert (nothing.exit_code, "Name a file" in nothing.output) == (2, True)
    unknown = CliRunner().invoke(export, ["spring", "--csv", "x.csv"])
    assert (unknown.exit_code, "There is no event 'spring'" in unknown.output) == (1, True)
