"""Peers that others wrote, for tests/alerts/run: what they take is written down and looked at.

peers.py mail PORT DIR      aiosmtpd with STARTTLS and a login; each mail becomes DIR/mail-N
peers.py webhook PORT DIR   verifies by the reference library; each event becomes a line of DIR/hook
peers.py check DIR          looks at what they and rsyslog took
"""

import email
import email.policy
import http.server
import json
import pathlib
import ssl
import sys
import threading


def mail(port, folder):
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    class Keep:
        n = 0

        async def handle_DATA(self, server, session, envelope):
            Keep.n += 1
            (folder / f"mail-{Keep.n}").write_bytes(envelope.content)
            return "250 2.0.0 kept"

    def login(server, session, envelope, mechanism, auth):
        password = (folder / "mail.password").read_text().strip().encode()
        return AuthResult(success=auth.login == b"driftline" and auth.password == password)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    controller = Controller(
        Keep(),
        hostname="localhost",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=login,
    )
    controller.start()
    threading.Event().wait()


def webhook(port, folder):
    from standardwebhooks.webhooks import Webhook

    known = Webhook((folder / "webhook.secret").read_text().strip())

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            event = known.verify(body, headers)  # Raises, and answers nothing, when it is not ours.
            with (folder / "hook").open("a") as file:
                file.write(json.dumps({"id": headers["webhook-id"], **event}) + "\n")
            self.send_response(204)
            self.end_headers()

    http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()


def check(folder):
    events = [json.loads(line) for line in (folder / "hook").read_text().splitlines()]
    reasons = [event["data"]["reason"] for event in events]
    assert reasons == ["test", "baseline", "report", "opened", "report"], reasons
    assert len({event["id"] for event in events}) == 5, events
    heads = [event["data"]["ledger"] for event in events if event["type"] == "driftline.report"]
    assert all(head["checkpoint"].split("\n")[1] == str(head["size"]) for head in heads), heads

    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(folder.glob("mail-*"))
        if path.name.removeprefix("mail-").isdigit()
    ]
    assert len(mails) == 5, mails
    texts = [mail.get_body(("plain",)).get_content() for mail in mails]
    for mail in mails:
        assert mail["Auto-Submitted"] == "auto-generated", mail
        assert mail["List-Id"] == "<main.driftline.firm.test>", mail
        assert not mail.defects, mail.defects
    assert "DL-14 leaver_active" in texts[1], texts[1]
    reports = [list(mail.iter_attachments()) for mail in mails if mail.is_multipart()]
    assert len(reports) == 2 and all(len(parts) == 2 for parts in reports), reports
    for page, checkpoint in reports:
        assert page.get_content().startswith("<!DOCTYPE html>"), page
        assert page.get_filename().endswith(".html"), page
        (folder / "head.checkpoint").write_bytes(checkpoint.get_content())
    assert mails[2]["References"] == mails[4]["References"], "one thread"

    lines = (folder / "syslog").read_text().splitlines()
    assert len(lines) == 3, lines
    assert lines[1].startswith("local0 crit driftline baseline [driftline@32473 key="), lines[1]
    for text in [json.dumps(events), *texts, *lines]:
        assert "@acme" not in text and "Henrik" not in text, "a name or an address"


match sys.argv[1:]:
    case ["mail", port, folder]:
        mail(int(port), pathlib.Path(folder))
    case ["webhook", port, folder]:
        webhook(int(port), pathlib.Path(folder))
    case ["check", folder]:
        check(pathlib.Path(folder))
    case _:
        sys.exit(__doc__)
