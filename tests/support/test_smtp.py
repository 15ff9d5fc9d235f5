"""The SMTP server that the other tests rely on does what it says."""

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.smtp import CUT, SILENT, SmtpServer


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "circle@example.org", "ada@example.org"
    message["Subject"], message["Message-ID"] = "Your place", "<1@example.org>"
    message.set_content("You have a place.")
    message.add_alternative("<p>You have a place.</p>", subtype="html")
    message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="event.ics")
    return message


def send(server: SmtpServer, *, timeout: float = 5) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=timeout) as smtp:
        smtp.send_message(letter())


def test_a_letter_is_kept_with_its_parts() -> None:
    with SmtpServer() as server:
        send(server)
        (kept,) = server.wait_for(1)
    assert kept.recipients == ("ada@example.org",)
    assert (kept.subject, kept.message_id) == ("Your place", "<1@example.org>")
    assert kept.text() == "You have a place.\n"
    assert kept.html() == "<p>You have a place.</p>\n"
    assert list(kept.attachments()) == ["event.ics"]


@pytest.mark.parametrize("step", ["connect", "ehlo", "mail", "rcpt", "data", "body"])
def test_a_cut_before_acceptance_keeps_nothing(step: str) -> None:
    with SmtpServer() as server:
        server.answer(step, CUT)
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(server)
        assert server.spool == []
        send(server)
        assert len(server.spool) == 1


def test_a_cut_after_acceptance_keeps_the_letter() -> None:
    with SmtpServer() as server:
        server.answer("accepted", CUT)
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(server)
        assert len(server.spool) == 1


@pytest.mark.parametrize(("step", "reply"), [("rcpt", "451 later"), ("body", "550 never")])
def test_a_scripted_refusal_reaches_the_sender(step: str, reply: str) -> None:
    with SmtpServer() as server:
        server.answer(step, reply)
        with pytest.raises(smtplib.SMTPException, match=reply[:3]):
            send(server)
        assert server.spool == []


def test_a_silent_server_runs_into_the_time_out() -> None:
    with SmtpServer() as server:
        server.answer("connect", SILENT)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            send(server, timeout=0.3)


def test_starttls_is_signed_by_the_authority_and_asks_for_the_password(tmp_path: Path) -> None:
    with SmtpServer(starttls=True, login=("circle", "right")) as server:
        authority = server.write_authority(tmp_path / "ca.pem")
        context = ssl.create_default_context(cafile=str(authority))
        with smtplib.SMTP(server.host, server.port, timeout=5) as smtp:
            smtp.starttls(context=context)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("circle", "wrong")
            smtp.login("circle", "right")
            smtp.send_message(letter())
        with smtplib.SMTP(server.host, server.port, timeout=5) as smtp:
            with pytest.raises(ssl.SSLCertVerificationError):
                smtp.starttls(context=ssl.create_default_context())
        assert len(server.spool) == 1
