"""Mail by SMTP: the same message, with the same `Message-ID`, on each try."""

import asyncio
import re
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import aiosmtplib

from services.notify.domain import Message, Outcome
from services.notify.settings import MailServer
from services.notify.streams.outgoing.words import Voice

LONGEST_S = 30.0
_ADDRESS = re.compile(r"^[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}$")
_PERMANENT = 500


def address(text: str) -> str:
    """A mail address, without a name beside it.

    Raises:
        ValueError: it is none.
    """
    if not _ADDRESS.match(text):
        raise ValueError("is no mail address")
    if not text.isascii():
        # Few servers take them otherwise.
        raise ValueError("is no mail address that every server takes: write its domain with xn--")
    try:
        Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ValueError("is no mail address") from error
    return text


def letter(
    server: MailServer, to: str, id: str, message: Message, voice: Voice, link: str, written_at: datetime
) -> EmailMessage:
    """The mail of an errand. `link` ends the subscription, by one click (RFC 8058)."""
    footer = voice.say("footer", link=link)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = server.sender
    mail["To"] = to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = f"<{id}@{server.sender.partition('@')[2]}>"
    mail["List-Unsubscribe"] = f"<{link}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    # Old servers take seven bits only.
    mail.set_content(f"{message.text}\n\n-- \n{footer}\n", cte="base64")
    words = escape(voice.say("unsubscribe"))
    mail.add_alternative(
        f'<!doctype html><html lang="{voice.lang}"><meta charset="utf-8"><body>{message.html}'
        f'<hr><p><a href="{escape(link)}">{words}</a></p></body></html>',
        subtype="html",
        cte="base64",
    )
    # After the parts, or it would become the first one's.
    mail["Content-Language"] = str(voice.locale).replace("_", "-")
    return mail


async def send(server: MailServer, mail: EmailMessage, to: str) -> Outcome:
    """One try. Where the connection broke after the text was sent, the server may have it or not: `unknown`."""
    try:
        async with asyncio.timeout(LONGEST_S):
            await aiosmtplib.send(
                mail,
                recipients=[to],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls,
                timeout=LONGEST_S,
            )
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPAuthenticationError) as error:
        return Outcome(status="failed", detail=f"the mail server does not let us in: {_brief(error)}")
    except aiosmtplib.SMTPSenderRefused as error:
        # That is about us and not about the reader: once it is put right, the mail goes out.
        return Outcome(status="failed", code=error.code, detail=_said(error.code, error.message))
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients[0].code, error.recipients[0].message)
    except aiosmtplib.SMTPResponseException as error:
        return _refused(error.code, error.message)
    except (aiosmtplib.SMTPException, TimeoutError) as error:
        return Outcome(status="unknown", detail=f"no answer of the mail server: {_brief(error)}")
    except OSError as error:
        return Outcome(status="failed", detail=f"the mail server cannot be reached: {_brief(error)}")
    return Outcome(status="delivered", code=250)


def _refused(code: int, said: str) -> Outcome:
    return Outcome(status="failed", code=code, detail=_said(code, said), final=code >= _PERMANENT)


def _said(code: int, said: str) -> str:
    return f"the mail server answered {code} {said}"[:200]


def _brief(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
