"""A real SMTP server in a thread, which keeps what it was given and can be told to misbehave."""

import asyncio
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port

# In the order of a conversation. At "body" the letter has come and is not ours yet.
STEPS = ("connect", "ehlo", "mail", "rcpt", "data", "body", "accepted")
CUT = "cut"  # drop the connection
SILENT = "silent"  # answer nothing, keep the connection


@dataclass(frozen=True)
class Received:
    """One letter as it came: envelope and parsed content."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    def text(self) -> str:
        """Return the hand-written part."""
        return self._part("plain")

    def html(self) -> str:
        """Return the HTML part."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")

    def attachments(self) -> dict[str, bytes]:
        """Return attachments by file name."""
        found = {}
        for part in self.message.iter_attachments():
            content = part.get_payload(decode=True)
            found[part.get_filename() or ""] = content if isinstance(content, bytes) else b""
        return found


@dataclass
class Script:
    """What to answer at a step: a reply line ("451 busy"), CUT or SILENT; used up in order."""

    replies: dict[str, list[str]] = field(default_factory=dict)

    def next(self, step: str) -> str | None:
        queue = self.replies.get(step)
        return queue.pop(0) if queue else None


class SmtpServer:
    """Start with `with SmtpServer() as server`; letters are in `server.spool`."""

    def __init__(
        self, *, starttls: bool = False, login: tuple[str, str] | None = None, port: int = 0
    ) -> None:
        self.spool: list[Received] = []
        self.script = Script()
        self.login = login
        self.host = "localhost"
        self.port = port or free_port()
        self._arrived = threading.Condition()
        self._authority = trustme.CA() if starttls else None
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=self.port, **self._options()
        )

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"server_hostname": "mail.example.org"}
        if self._authority:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
            options |= {"tls_context": context, "require_starttls": True}
        if self.login:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": self._authority is not None,
            }
        return options

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = (
            (data.login.decode(), data.password.decode())
            if isinstance(data, LoginPassword)
            else None
        )
        return AuthResult(success=given == self.login, handled=False)

    def write_authority(self, path: Path) -> Path:
        """Write the certificate of the authority that signed this server's; for MAIL_CA_FILE."""
        assert self._authority, "this server speaks no TLS"
        self._authority.cert_pem.write_to_path(path)
        return path

    def settings(self) -> dict[str, Any]:
        """Return the settings that point at this server, but for MAIL_CA_FILE."""
        known: dict[str, Any] = {"MAIL_SERVER": self.host, "MAIL_PORT": self.port}
        if self._authority:
            known["MAIL_USE_TLS"] = True
        if self.login:
            known["MAIL_USERNAME"], known["MAIL_PASSWORD"] = self.login
        return known

    def answer(self, step: str, *replies: str) -> None:
        """Answer the next visits to a step (see STEPS) with these lines, or with CUT or SILENT."""
        assert step in STEPS, step
        self.script.replies.setdefault(step, []).extend(replies)

    def wait_for(self, count: int, *, seconds: float = 20) -> list[Received]:
        """Return the spool when it holds `count` letters; fail when it does not in time."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.spool) >= count, timeout=seconds):
                subjects = [r.subject for r in self.spool]
                raise AssertionError(f"waited for {count} letters, have {subjects}")
            return list(self.spool)

    def to(self, address: str) -> list[Received]:
        """Return what came for one address."""
        return [r for r in self.spool if address in r.recipients]

    def keep(self, received: Received) -> None:
        """Put a letter into the spool and wake who waits for it."""
        with self._arrived:
            self.spool.append(received)
            self._arrived.notify_all()

    def __enter__(self) -> "SmtpServer":
        self._controller.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()


class _Protocol(SMTP):
    """aiosmtpd's conversation, with our script before the greeting and before DATA is agreed to."""

    def __init__(self, server: SmtpServer, *args: Any, **kwargs: Any) -> None:
        self._script = server.script
        super().__init__(*args, **kwargs)

    async def say(self, step: str) -> str | None:
        """Return the scripted reply of a step, after carrying out CUT and SILENT."""
        reply = self._script.next(step)
        if reply == CUT:
            assert self.transport is not None
            self.transport.abort()  # type: ignore[attr-defined]
        if reply in (CUT, SILENT):
            await asyncio.sleep(3600)  # ended by the loss of the connection
        return reply

    async def _handle_client(self) -> None:
        if reply := await self.say("connect"):
            await self.push(reply)
            assert self.transport is not None
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:
        if reply := await self.say("data"):
            await self.push(reply)
            return
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def __init__(self, server: SmtpServer, **options: Any) -> None:
        self._server = server
        self._protocols: list[_Protocol] = []
        super().__init__(_Handler(server), **options)

    def factory(self) -> SMTP:
        protocol = _Protocol(self._server, self.handler, **self.SMTP_kwargs)
        self._protocols.append(protocol)
        return protocol

    def stop(self, no_assert: bool = False) -> None:
        """Stop, after closing what a cut or a failed handshake left open: asyncio warns of it."""
        closed = threading.Event()
        self.loop.call_soon_threadsafe(self._close_all, closed)
        closed.wait(5)
        super().stop(no_assert)

    def _close_all(self, closed: threading.Event) -> None:
        for protocol in self._protocols:
            if protocol._writer is not None:
                protocol._writer.close()
        closed.set()


class _Handler:
    """aiosmtpd's hooks: ask the script first, then do what is usual."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server

    async def handle_EHLO(
        self,
        smtp: _Protocol,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        reply = await smtp.say("ehlo")
        return [reply] if reply else responses

    async def handle_MAIL(
        self,
        smtp: _Protocol,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if reply := await smtp.say("mail"):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self,
        smtp: _Protocol,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if reply := await smtp.say("rcpt"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: _Protocol, session: Session, envelope: Envelope) -> str:
        if reply := await smtp.say("body"):
            return reply
        raw = envelope.original_content or b""
        parsed = message_from_bytes(raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        recipients = tuple(str(a) for a in envelope.rcpt_tos)
        self.server.keep(Received(str(envelope.mail_from), recipients, parsed, raw))
        # The letter is ours from here on, even if the sender never hears of it.
        return await smtp.say("accepted") or "250 OK"
