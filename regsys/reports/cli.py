"""`regsys export`."""

from pathlib import Path

import click
from flask_babel import gettext as _

from regsys.events.queries import find_event
from regsys.kernel import clock
from regsys.kernel.actors import Actor
from regsys.kernel.db import transaction
from regsys.reports import exports, services
from regsys.reports.queries import Filter

COMMAND = Actor("system", label="regsys export")
_file = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("export")
@click.argument("event_slug")
@click.option("--csv", "csv_file", type=_file, help="Write a CSV file.")
@click.option("--bom", is_flag=True, help="Begin the CSV with a byte-order mark, for Excel.")
@click.option("--xlsx", "xlsx_file", type=_file, help="Write a workbook.")
def export(event_slug: str, csv_file: Path | None, bom: bool, xlsx_file: Path | None) -> None:
    """Write everybody who is or was registered for an event to a file; it is written into the log.

    Example: regsys export introductory-intensive --csv people.csv --xlsx people.xlsx
    """
    if csv_file is None and xlsx_file is None:
        raise click.UsageError("Name a file: --csv FILE, --xlsx FILE, or both.")
    event = find_event(event_slug)
    if event is None:
        raise click.ClickException(
            f"There is no event {event_slug!r}; its slug stands in its address."
        )
    everybody = Filter([event.id])
    if csv_file:
        _log(everybody, "csv")
        parts = exports.make_csv(everybody, exports.AUDIENCES, _, bom=bom)
        with csv_file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(parts)
        click.echo(f"Written: {csv_file}")
    if xlsx_file:
        _log(everybody, "xlsx")
        with exports.make_xlsx(everybody, exports.AUDIENCES, _) as made:
            xlsx_file.write_bytes(made.read())
        click.echo(f"Written: {xlsx_file}")


def _log(chosen: Filter, kind: str) -> None:
    with transaction():
        services.log_export(
            chosen, kind, event_id=chosen.event_ids[0], actor=COMMAND, now=clock.now()
        )


commands = [export]
