"""The form of a case, and the test that runs it."""

import itertools
import re
import socket
import typing
import unittest

from broker import Broker
from case import NO_PINGS
from peers import Program
from wire import BINARY, CLOSE, CONTINUATION, PONG, TEXT, Ended, Wire, close_payload


class Echoed(typing.NamedTuple):
    """A step: so many messages have come back so far."""
    count: int


class Ponged(typing.NamedTuple):
    """A step: so many pongs have come so far."""
    count: int


class HangUp:
    """A step: this side's half of the TCP connection ends."""


class Case(typing.NamedTuple):
    """`send` are steps, bytes for the most part, each of which is a segment of its own. `messages` are (opcode, payload)
    and `pongs` are payloads that come back in this order. At the end, one of these:

    - `fails` with a code: the broker closes with it, and names the fault;
    - `closes`: the case itself sends a close, whose (code, reason) this is; the code is None if it has none;
    - `hangs_up`: this side has, and the broker ends without a close frame;
    - else all is well, and the runner closes when everything is there."""
    section: str
    name: str
    send: tuple
    messages: tuple = ()
    pongs: tuple = ()
    fails: int | None = None
    closes: tuple | None = None
    hangs_up: bool = False


class Transcript:
    """What the broker says on one connection. It fails at once if that breaks the protocol."""

    def __init__(self, wire):
        self.wire = wire
        self.messages, self.pongs = [], []
        self._opcode, self._parts = None, []

    def read(self):
        """Takes note of the next frame; returns a close frame's payload, else None."""
        got = self.wire.read_frame()
        assert got.reserved == 0, f"a reserved bit is set: {got}"
        if got.opcode == CLOSE:
            assert got.fin, f"a fragmented close frame: {got}"
            return got.payload
        if got.opcode == PONG:
            assert got.fin, f"a fragmented pong: {got}"
            self.pongs.append(got.payload)
            return None
        expected = (TEXT, BINARY) if self._opcode is None else (CONTINUATION,)
        assert got.opcode in expected, f"a frame out of place: {got}"
        self._opcode = self._opcode or got.opcode
        self._parts.append(got.payload)
        if got.fin:
            self.messages.append((self._opcode, b"".join(self._parts)))
            self._opcode, self._parts = None, []
        return None

    def read_until(self, done):
        while not done():
            closed = self.read()
            assert closed is None, f"closed too early: {closed}"

    def read_close(self):
        while (payload := self.read()) is None:
            pass
        code = int.from_bytes(payload[:2], "big") if payload else None
        return code, payload[2:].decode()


class ConformanceTest(unittest.TestCase):
    """One broker and one program of echo peers for all cases of a class."""

    numbers = itertools.count()
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker(*NO_PINGS, *cls.options))
        cls.echoes = Program.of("websockets")

    def run_case(self, case, role="client"):
        key = f"case-{next(self.numbers)}"
        other = "worker" if role == "client" else "client"
        echo = self.echoes.open(self.broker.url(f"/{other}/{key}"), echo=True)
        with Wire.open(self.broker.port, f"/{role}/{key}") as wire:
            seen = Transcript(wire)
            for step in case.send:
                self.take(step, seen)
            ending = self.end(case, seen)
        received, (code, reason) = echo.rest()
        sent = [payload.decode() if opcode == TEXT else payload for opcode, payload in case.messages]
        # Not assertEqual: its report of a difference takes minutes for large messages.
        self.assertTrue(received == sent, f"the other side got {len(received)} messages: {str(received)[:200]}")
        self.assertEqual(code, ending[0], reason)
        if ending[1] is None:
            self.assertTrue(reason)
        else:
            self.assertEqual(reason, ending[1])

    def take(self, step, seen):
        if isinstance(step, Echoed):
            seen.read_until(lambda: len(seen.messages) >= step.count)
        elif isinstance(step, Ponged):
            seen.read_until(lambda: len(seen.pongs) >= step.count)
        elif isinstance(step, HangUp):
            seen.wire.socket.shutdown(socket.SHUT_WR)
        else:
            seen.wire.send(step)

    def end(self, case, seen):
        """Sees to the connection's end as the case has it; returns what the other side is to learn of it."""
        if case.fails is not None:
            ending = self.end_of_failure(case, seen)
        elif case.closes is not None:
            ending = self.end_of_close(case, seen)
        elif case.hangs_up:
            with self.assertRaises(Ended):
                seen.read_until(lambda: False)
            ending = 4200, None
        else:
            ending = self.end_when_all_is_there(case, seen)
        # What is sent back may be lost when the end comes before it, but never out of order.
        self.assertTrue(seen.messages == list(case.messages[:len(seen.messages)]), "other messages came back")
        self.assertEqual(seen.pongs, list(case.pongs))
        return ending

    def end_of_failure(self, case, seen):
        code, reason = seen.read_close()
        self.assertEqual(code, case.fails, reason)
        self.assertTrue(reason, "the broker does not name the fault")
        if not case.hangs_up:
            seen.wire.send_frame(CLOSE, close_payload(code))
        seen.wire.read_end()
        return 4200, None

    def end_of_close(self, case, seen):
        code, reason = case.closes
        self.assertEqual(seen.read_close(), (code, reason or ""))
        seen.wire.read_end()
        return (1005, "") if code is None else (code, reason)

    def end_when_all_is_there(self, case, seen):
        seen.read_until(lambda: len(seen.messages) >= len(case.messages) and len(seen.pongs) >= len(case.pongs))
        self.assertEqual(len(seen.messages), len(case.messages))
        seen.wire.send_frame(CLOSE, close_payload(1000, "that was all"))
        self.assertEqual(seen.read_close(), (1000, "that was all"))
        seen.wire.read_end()
        return 1000, "that was all"


def cases(table, roles=("client",)):
    """Gives a class of ConformanceTest a test for each case, in each of the roles."""
    def decorate(test_class):
        for case, role in itertools.product(table, roles):
            name = re.sub(r"\W+", "_", f"test_{case.section}_{case.name}_as_{role}".replace(".", "_"))
            assert not hasattr(test_class, name), f"two cases are named {name}"
            setattr(test_class, name, lambda self, case=case, role=role: self.run_case(case, role))
        return test_class
    return decorate


BOTH = ("client", "worker")
