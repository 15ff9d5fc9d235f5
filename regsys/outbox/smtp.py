"""Speaks SMTP: the only file that imports Flask-Mail.

Flask-Mail 0.10 has no time-out and accepts any certificate; both are mended here. What went wrong is told in three
words: `NotNow` (try again), `Rejected` (never), `Unsure` (the body was handed over and no answer came back).
"""

import base64
import smtplib
import ssl
from collections.abc import Mapping
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

import flask_mail
from flask import Flask, current_app

from regsys.kernel import clock
from regsys.kernel.db import forbid_in_transaction
from regsys.outbox.compose import Letter
from regsys.web.urls import settings

# Seconds for each step of the conversation; the answer to the body may take three times as long: servers scan it.
PATIENCE = 10.0
_GO_AHEAD = 354


class NotNow(Exception):
    """The server, or the way to it, is not in order now."""


class Rejected(Exception):
    """The server will never take this letter."""


class Unsure(Exception):
    """The server may or may not have taken it."""


class _Host(smtplib.SMTP):
    """Remembers whether the body has been handed over."""

    handed_over = False

    def getreply(self) -> tuple[int, bytes]:
        reply = super().getreply()
        if reply[0] == _GO_AHEAD and self.sock:
            self.handed_over = True
            self.sock.settimeout(3 * self.timeout)
        return reply


class _TlsHost(_Host, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


class _Connection(flask_mail.Connection):
    """A connection with a time-out, whose certificate is verified."""

    host: _Host | None

    def configure_host(self) -> _Host:
        mail, config = self.mail, current_app.config
        context = ssl.create_default_context(cafile=config.get("MAIL_CA_FILE"))
        options: dict[str, Any] = {
            # smtplib would ask the DNS for our own name, which can take long.
            "local_hostname": urlsplit(settings().BASE_URL).hostname,
            "timeout": config.get("MAIL_TIMEOUT", PATIENCE),
        }
        if mail.use_ssl:
            host: _Host = _TlsHost(mail.server, mail.port, context=context, **options)
        else:
            host = _Host(mail.server, mail.port, **options)
        try:
            if mail.use_tls:
                host.starttls(context=context)
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def leave(self) -> None:
        """Say goodbye; the letter is out of our hands, so whatever goes wrong now says nothing about it."""
        if self.host is not None:
            try:
                self.host.quit()
            except (OSError, smtplib.SMTPException):
                self.host.close()


class _Message(flask_mail.Message):
    """A letter that Python's own e-mail package puts together: it folds, encodes and refuses line breaks in headers."""

    def __init__(self, letter: Letter) -> None:
        name, sender = parseaddr(settings().MAIL_DEFAULT_SENDER)
        super().__init__(sender=sender, recipients=[letter.to_email])
        self.built = _build(letter, name or settings().ORGANISATION_NAME, sender)

    def as_bytes(self) -> bytes:
        return self.built.as_bytes()


def _build(letter: Letter, name: str, sender: str) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    _set_address(message, "From", name, sender)
    _set_address(message, "To", letter.to_name, letter.to_email)
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=letter.reply_to)
    _set_text(message, "Subject", _one_line(letter.subject))
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for attachment in letter.attachments:
        if "base64" in attachment:
            _attach_file(message, attachment)
        else:
            _attach(message, attachment["filename"], attachment["type"], attachment["text"])
    return message


def _set_text(message: EmailMessage, name: str, text: str) -> None:
    """Set a header. Python 3.11 moves spaces where it folds letters beyond ASCII; the older `Header` does not."""
    if text.isascii():
        message[name] = text
    else:
        message.set_raw(name, Header(text, "utf-8", header_name=name).encode())


def _set_address(message: EmailMessage, header: str, name: str, address: str) -> None:
    """Set a name and an address; raise ValueError where the address is none."""
    checked = Address(_one_line(name), addr_spec=address)
    if checked.display_name.isascii():
        message[header] = checked
    else:
        both = Header(checked.display_name, "utf-8", header_name=header)
        both.append(f"<{checked.addr_spec}>", "us-ascii")
        message.set_raw(header, both.encode())


def _attach(message: EmailMessage, filename: str, content_type: str, text: str) -> None:
    """Attach a text; "text/calendar; method=REQUEST" keeps its parameter."""
    probe = EmailMessage()
    probe["Content-Type"] = content_type
    parameters = {k: v for k, v in probe["Content-Type"].params.items() if k != "charset"}
    subtype = probe.get_content_subtype()
    message.add_attachment(
        text, subtype=subtype, filename=_one_line(filename), params=parameters, cte="base64"
    )


def _attach_file(message: EmailMessage, attachment: Mapping[str, str]) -> None:
    main, _slash, sub = attachment["type"].partition("/")
    message.add_attachment(
        base64.b64decode(attachment["base64"]),
        maintype=main,
        subtype=sub,
        filename=_one_line(attachment["filename"]),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def register(app: Flask) -> None:
    """Read the settings of the mail server."""
    app.config.setdefault("MAIL_SUPPRESS_SEND", False)
    flask_mail.Mail().init_app(app)


def deliver(letter: Letter) -> None:
    """Hand a letter to the server; return when it has taken it, else raise NotNow, Rejected or Unsure."""
    forbid_in_transaction("sending a letter")
    connection = _Connection(current_app.extensions["mail"])
    try:
        message = _Message(letter)
    except (ValueError, IndexError, UnicodeError) as e:
        raise Rejected(f"the letter cannot be written: {e}") from e
    try:
        connection.host = connection.configure_host()
        connection.send(message)
    except (OSError, smtplib.SMTPException, UnicodeError, flask_mail.BadHeaderError) as e:
        host = connection.host
        raise _judge(e, handed_over=bool(host and host.handed_over)) from e
    finally:
        connection.leave()


def _judge(e: Exception, *, handed_over: bool) -> NotNow | Rejected | Unsure:
    """Tell what an error means for the letter."""
    said = _said(e)
    # These say that we are set up wrongly, or that the server is: the letter itself is fine.
    if isinstance(
        e, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError
    ):
        return NotNow(said)
    code = _code(e)
    if code is not None:
        return Rejected(said) if code >= 500 else NotNow(said)
    if isinstance(e, UnicodeError | flask_mail.BadHeaderError):
        return Rejected(f"the address cannot be written: {said}")
    return Unsure(said) if handed_over else NotNow(said)


def _code(e: Exception) -> int | None:
    """Return the number of the server's answer, if it gave one."""
    if isinstance(e, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in e.recipients.values()), default=None)
    return e.smtp_code if isinstance(e, smtplib.SMTPResponseException) else None


def _said(e: Exception) -> str:
    """Return in one line what the server said, or what happened."""
    answer: bytes | str
    if isinstance(e, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(e.recipients.values()), (0, b""))
    elif isinstance(e, smtplib.SMTPResponseException):
        code, answer = e.smtp_code, e.smtp_error
    else:
        return _one_line(f"{type(e).__name__}: {e}")
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return _one_line(f"{code} {text}")
