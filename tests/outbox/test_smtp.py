"""Letters through a real SMTP server, which misbehaves at every step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.outbox import smtp as product
from regsys.outbox.compose import Letter
from tests.outbox.post import ICS, MakeApp, at, draft
from tests.support.smtp import CUT, SILENT, SmtpServer

pytestmark = pytest.mark.once
HASTE = 0.4


def letter(**changes: Any) -> Letter:
    made = draft()
    known: dict[str, Any] = {
        "id": 1,
        "kind": made.kind,
        "to_name": made.to_name,
        "to_email": made.to_email,
        "reply_to": "directors@example.org",
        "subject": made.subject,
        "text": made.text,
        "html": made.html,
        "attachments": made.attachments,
        "links": made.links,
        "message_id": "<abc@circle.example.org>",
        "attempts": 1,
    }
    return Letter(**{**known, **changes})


def deliver(app: Flask, sent: Letter | None = None) -> None:
    with app.app_context():
        product.deliver(sent or letter())


@pytest.fixture
def mailer(make_app: MakeApp, settings: Settings, smtp: SmtpServer) -> Flask:
    """Return an app that sends by the plain server, and is not patient."""
    app = make_app(at(smtp, settings))
    app.config["MAIL_TIMEOUT"] = HASTE
    return app


# ---- what arrives


def test_a_letter_arrives_whole(mailer: Flask, smtp: SmtpServer) -> None:
    deliver(mailer)
    (came,) = smtp.wait_for(1)
    assert came.sender == "circle@example.org"
    assert came.recipients == ("lysander@example.org",)
    assert came.subject == draft().subject
    assert came.message_id == "<abc@circle.example.org>"
    assert came.message["From"] == "Evergreen Balint Circle <circle@example.org>"
    assert came.message["To"] == "Lysander Saltmärsh <lysander@example.org>"
    assert came.message["Reply-To"] == "directors@example.org"
    assert came.message["Auto-Submitted"] == "auto-generated"
    assert came.text() == draft().text
    assert came.html() == draft().html + "\n"


def test_the_parts_are_an_alternative_and_the_calendar_keeps_its_method(
    mailer: Flask, smtp: SmtpServer
) -> None:
    deliver(mailer)
    (came,) = smtp.wait_for(1)
    alternative, calendar = list(came.message.iter_parts())
    kinds = [part.get_content_type() for part in alternative.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert dict(calendar["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert calendar.get_filename() == "calendar.ics"
    assert came.attachments() == {"calendar.ics": ICS.encode()}


def test_every_line_on_the_wire_is_ascii_and_short(mailer: Flask, smtp: SmtpServer) -> None:
    deliver(mailer, letter(html="<p>" + "lang " * 2000 + "ä</p>"))
    (came,) = smtp.wait_for(1)
    assert max(len(line) for line in came.raw.split(b"\r\n")) <= 998
    assert came.raw.isascii()


@pytest.mark.parametrize("part", ["subject", "to_name"])
def test_a_line_break_in_a_header_becomes_a_space(
    part: str, mailer: Flask, smtp: SmtpServer
) -> None:
    deliver(mailer, letter(**{part: "Hello\r\nBcc: everyone@example.org"}))
    (came,) = smtp.wait_for(1)
    assert came.recipients == ("lysander@example.org",)
    assert came.message["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org, b@example.org",
        "grüß@example.org",
        "nobody",
    ],
)
def test_an_address_that_is_none_is_rejected_before_anything_is_sent(
    address: str, mailer: Flask, smtp: SmtpServer
) -> None:
    with pytest.raises(product.Rejected):
        deliver(mailer, letter(to_email=address))
    assert smtp.spool == []


def test_no_letter_is_sent_inside_a_transaction(mailer: Flask, smtp: SmtpServer) -> None:
    with mailer.app_context(), transaction():
        with pytest.raises(RuntimeError, match="may not run inside a transaction"):
            product.deliver(letter())
    assert smtp.spool == []


# ---- what the server says


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
def test_4xx_means_not_now(step: str, mailer: Flask, smtp: SmtpServer) -> None:
    smtp.answer(step, "451 come back later")
    with pytest.raises(product.NotNow, match="451 come back later"):
        deliver(mailer)
    deliver(mailer)
    assert len(smtp.wait_for(1)) == 1


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
def test_5xx_means_never(step: str, mailer: Flask, smtp: SmtpServer) -> None:
    smtp.answer(step, "550 no such person")
    with pytest.raises(product.Rejected, match="550 no such person"):
        deliver(mailer)
    assert smtp.spool == []


def test_a_server_that_refuses_us_at_the_door_does_not_condemn_the_letter(
    mailer: Flask, smtp: SmtpServer
) -> None:
    smtp.answer("connect", "554 go away")
    with pytest.raises(product.NotNow, match="554 go away"):
        deliver(mailer)


# ---- a connection that breaks


@pytest.mark.parametrize("step", ["connect", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("how", [CUT, SILENT])
def test_before_the_body_a_broken_connection_means_not_now(
    step: str, how: str, mailer: Flask, smtp: SmtpServer
) -> None:
    smtp.answer(step, how)
    with pytest.raises(product.NotNow):
        deliver(mailer)
    assert smtp.spool == []


@pytest.mark.parametrize(("step", "arrived"), [("body", 0), ("accepted", 1)])
@pytest.mark.parametrize("how", [CUT, SILENT])
def test_after_the_body_nobody_knows(
    step: str, arrived: int, how: str, mailer: Flask, smtp: SmtpServer
) -> None:
    smtp.answer(step, how)
    with pytest.raises(product.Unsure):
        deliver(mailer)
    assert len(smtp.spool) == arrived


def test_nobody_listening_means_not_now(make_app: MakeApp, settings: Settings) -> None:
    with SmtpServer() as gone:
        app = make_app(at(gone, settings))
    with pytest.raises(product.NotNow, match="Connection refused"):
        deliver(app)


# ---- TLS and signing in


@pytest.fixture
def strict() -> Iterator[SmtpServer]:
    with SmtpServer(starttls=True, login=("circle", "s3cret word")) as server:
        yield server


def test_a_letter_goes_over_starttls_to_a_server_that_is_known(
    make_app: MakeApp, settings: Settings, strict: SmtpServer, tmp_path: Path
) -> None:
    known = str(strict.write_authority(tmp_path / "ca.pem"))
    deliver(make_app(at(strict, settings, MAIL_CA_FILE=known)))
    assert len(strict.wait_for(1)) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(
    make_app: MakeApp, settings: Settings, strict: SmtpServer
) -> None:
    with pytest.raises(product.NotNow, match="CERTIFICATE_VERIFY_FAILED"):
        deliver(make_app(at(strict, settings)))
    assert strict.spool == []


def test_a_certificate_for_another_name_is_refused(
    make_app: MakeApp, settings: Settings, strict: SmtpServer, tmp_path: Path
) -> None:
    known = str(strict.write_authority(tmp_path / "ca.pem"))
    changed = at(strict, settings, MAIL_CA_FILE=known).replace(MAIL_SERVER="127.0.0.2")
    strict_here = make_app(changed)
    with pytest.raises(product.NotNow):
        deliver(strict_here)
    assert strict.spool == []


def test_a_wrong_password_condemns_no_letter(
    make_app: MakeApp, settings: Settings, strict: SmtpServer, tmp_path: Path
) -> None:
    known = str(strict.write_authority(tmp_path / "ca.pem"))
    changed = at(strict, settings, MAIL_CA_FILE=known).replace(MAIL_PASSWORD="wrong")
    with pytest.raises(product.NotNow, match="535"):
        deliver(make_app(changed))


def test_a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for(
    make_app: MakeApp, settings: Settings, smtp: SmtpServer
) -> None:
    with pytest.raises(product.NotNow, match="STARTTLS"):
        deliver(make_app(at(smtp, settings, MAIL_USE_TLS=True)))
    assert smtp.spool == []
