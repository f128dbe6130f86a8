"""Listening sockets: bound before anybody serves, lent to whoever does, never lost with them."""

import asyncio
import os
import socket

import pytest

from live_home import free_port
from playbill.app.doors import COLLECTOR_DOOR, FIRST_DOOR, Doors, Porch
from playbill.contracts import HttpSettings
from playbill.core import Conflict


@pytest.fixture
def http():
    port = free_port()
    return HttpSettings(port=port, collector_port=port + 1, workers=2)


@pytest.fixture
def doors(http):
    found = Doors(http)
    found.open()
    yield found
    found.close()


def lent(doors, door):
    """Return a socket as the process that was lent it has it, listening."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        doors.lend(door, ours)
        descriptor = asyncio.run(Porch(theirs).door(asyncio.Event()))
    found = socket.socket(fileno=descriptor)
    found.listen(8)
    found.setblocking(True)
    return found


def test_a_port_is_refused_until_somebody_serves_it(http, doors):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", http.port))
    with lent(doors, FIRST_DOOR), socket.create_connection(("127.0.0.1", http.port)):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", http.collector_port))


def test_who_comes_while_nobody_serves_is_found_by_the_next_one(http, doors):
    lent(doors, COLLECTOR_DOOR).close()
    with socket.create_connection(("127.0.0.1", http.collector_port)) as client:
        client.sendall(b"hello")
        with lent(doors, COLLECTOR_DOOR) as later:
            taken, _ = later.accept()
            with taken:
                assert taken.recv(5) == b"hello"


def test_a_socket_that_nobody_serves_is_chosen_no_more_once_it_is_rehung(http, doors):
    lent(doors, FIRST_DOOR).close()
    with lent(doors, FIRST_DOOR + 1) as served:
        served.settimeout(10)
        doors.rehang(FIRST_DOOR)
        for _ in range(32):
            with socket.create_connection(("127.0.0.1", http.port)):
                served.accept()[0].close()


def test_a_second_home_on_the_same_port_is_refused(http, doors):
    with lent(doors, FIRST_DOOR), pytest.raises(Conflict, match=f":{http.port} cannot be listened"):
        Doors(http).open()


def test_an_address_that_is_not_this_machine_s_is_refused(http):
    elsewhere = HttpSettings(host="192.0.2.1", port=http.port, collector_port=http.port + 1)
    with pytest.raises(Conflict, match=r"192\.0\.2\.1:\d+ cannot be listened on"):
        Doors(elsewhere).open()


def test_connections_inherit_when_to_give_up_on_who_takes_nothing(http, doors):
    with (
        lent(doors, FIRST_DOOR) as served,
        socket.create_connection(("127.0.0.1", http.port)),
        served.accept()[0] as taken,
    ):
        patience_ms = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert patience_ms == http.send_s * 1000
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_who_is_told_to_stop_gets_no_socket_and_neither_does_an_orphan():
    async def told():
        stopping = asyncio.Event()
        stopping.set()
        return await Porch(theirs).door(stopping)

    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert asyncio.run(told()) is None
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        assert asyncio.run(Porch(theirs).door(asyncio.Event())) is None


def test_lending_to_a_process_that_is_gone_is_an_error_and_costs_nothing(doors):
    ours, theirs = socket.socketpair()
    theirs.close()
    before = len(os.listdir("/proc/self/fd"))
    with ours, pytest.raises(OSError, match="Broken pipe"):
        doors.lend(FIRST_DOOR, ours)
    assert len(os.listdir("/proc/self/fd")) == before - 1
