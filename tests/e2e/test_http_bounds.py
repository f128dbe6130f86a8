"""How many connections and requests at once, how patient with who takes no reply, and TLS."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator

import pytest
import urllib3
from wire import Line, head

from certificates import issue
from live_home import LiveHome, until
from playbill.app.supervisor import FIRST_WORKER
from playbill.serving import WARM

HOST = "host: localhost"
LIVE = head("GET /livez HTTP/1.1", HOST)
MOST_CONNECTIONS, MOST_UNDER_WAY = 6, 2
LIMITS = f"""
[http]
max_connections = {MOST_CONNECTIONS}
max_under_way = {MOST_UNDER_WAY}
send_s = 0.5
head_s = 60.0
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    server = LiveHome(tmp_path_factory.mktemp("bounds") / "home")
    server.configure(LIMITS)
    server.start()
    # Its connections count, too.
    server.pool.connection_from_url(server.url).close()
    server.pool.clear()
    yield server
    server.stop()


def unheard(line: Line) -> bool:
    """Tell whether a connection gets nothing although it asked and others were answered."""
    line.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        line.reply()
    line.socket.settimeout(20)
    return True


def test_a_connection_beyond_the_bound_waits_for_another_to_end(live: LiveHome) -> None:
    lines = [Line(live.port) for _ in range(MOST_CONNECTIONS)]
    for line in lines:
        assert line.say(LIVE).reply().status == 200
    with Line(live.port) as waits:
        waits.say(LIVE)
        assert unheard(waits)
        lines.pop().socket.close()
        assert waits.reply().status == 200
    for line in lines:
        line.socket.close()


def test_a_request_beyond_the_bound_is_503_and_the_next_one_is_not(live: LiveHome) -> None:
    body = b'{"events":[]}'
    lines = ("POST /v1/events HTTP/1.1", HOST, "content-type: application/json")
    whole = head(*lines, f"content-length: {len(body)}")
    begun = [Line(live.port).say(whole + body[:3]) for _ in range(MOST_UNDER_WAY)]
    with Line(live.port) as more:
        refused = until(lambda: _refused(more, whole + body), "both hold their place")
        assert (refused.status, refused.code) == (503, "too_busy")
        assert refused.headers["retry-after"] == "1"
        assert more.say(LIVE).reply().status == 200
        for line in begun:
            with line:
                assert line.say(body[3:]).reply().status == 202
        assert more.say(whole + body).reply().status == 202


def _refused(line, request):
    reply = line.say(request).reply()
    return reply if reply.status != 202 else None


def test_a_client_that_takes_no_reply_is_cut_off(live: LiveHome) -> None:
    asks = head("GET /openapi.json HTTP/1.1", HOST) * 40
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", live.port))
        deaf.setblocking(False)

        def cut_off() -> bool:
            try:
                deaf.send(asks)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            return False

        until(cut_off, "the server gives up")
    assert live.get("/livez")[0] == 200


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    home = tmp_path_factory.mktemp("sealed") / "home"
    issued = issue(home / "tls")
    trusting = urllib3.PoolManager(retries=False, timeout=10.0, ca_certs=str(issued.certificate))
    server = LiveHome(home, scheme="https", pool=trusting)
    server.configure('[http]\ntls_certificate = "tls/chain.pem"\ntls_key = "tls/key.pem"\n')
    server.start()
    yield server
    server.stop()


def trust(live: LiveHome) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(live.home / "tls" / "chain.pem"))


def test_both_ports_speak_tls(sealed: LiveHome) -> None:
    assert sealed.feed("u")["tier"] == "static"
    assert sealed.post("/v1/events", {"events": []}, sealed.collector)[0] == 202
    assert f"https://127.0.0.1:{sealed.port}" in sealed.output.read_text()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_versions_that_are_spoken(sealed: LiveHome, version: ssl.TLSVersion) -> None:
    context = trust(sealed)
    context.minimum_version = context.maximum_version = version
    with Line(sealed.port, context) as line:
        assert line.say(LIVE).reply().status == 200
        assert line.socket.version() == version.name.replace("_", ".")


def test_who_speaks_plain_or_trusts_nobody_gets_nothing(sealed: LiveHome) -> None:
    with Line(sealed.port) as plain:
        plain.say(LIVE)
        with pytest.raises(ConnectionError):
            plain.reply()
    with pytest.raises(ssl.SSLCertVerificationError):
        Line(sealed.port, ssl.create_default_context())
    assert sealed.get("/livez")[0] == 200


def test_a_renewed_certificate_is_served_after_a_hangup_and_a_bad_one_is_not(
    sealed: LiveHome,
) -> None:
    folder, new = sealed.home / "tls", sealed.home / "new"
    assert sealed.process is not None
    rows = sealed.board().rows
    until(lambda: WARM in rows["ready"][FIRST_WORKER:], "a standby is warm")
    good, old = (folder / "chain.pem").read_bytes(), sealed.pid(FIRST_WORKER)
    (folder / "chain.pem").write_bytes(b"nonsense")
    sealed.process.send_signal(1)
    until(lambda: "servers are not renewed" in sealed.output.read_text(), "it is refused")
    assert sealed.pid(FIRST_WORKER) == old
    assert b"CERTIFICATE" in good
    issue(new)
    for name in ("key.pem", "chain.pem"):
        shutil.copyfile(new / name, folder / name)
    sealed.process.send_signal(1)

    def served() -> bool:
        try:
            with Line(sealed.port, trust(sealed)) as line:
                return line.say(LIVE).reply().status == 200
        except ssl.SSLCertVerificationError:
            return False

    until(served, "the new certificate is served")
    text = sealed.output.read_text()
    assert text.count("is no certificate in PEM form") == 1
