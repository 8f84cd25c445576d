"""Sections 5.5.1 and 7: closing handshakes, codes, reasons, and what comes behind a close."""

from wire import BINARY, CLOSE, PING, TEXT, close_payload, frame

from conformance import utf8
from conformance.table import BOTH, Case, ConformanceTest, Echoed, HangUp, cases

VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3998, 3999, 4000, 4001,
               4100, 4201, 4999)
INVALID_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 9999, 65535)


def closing(code=1000, reason=""):
    return frame(CLOSE, close_payload(code, reason))


def code_cases():
    yield Case("7.1.5", "a close without a code", (frame(CLOSE),), closes=(None, ""))
    for code in VALID_CODES:
        yield Case("7.4", f"the code {code}", (closing(code),), closes=(code, ""))
        yield Case("7.4", f"the code {code} with a reason", (closing(code, "why"),), closes=(code, "why"))
    for code in INVALID_CODES:
        yield Case("7.4", f"the invalid code {code}", (closing(code),), fails=1002)
        yield Case("7.4", f"the invalid code {code} with a reason behind a message",
                   (frame(TEXT, "hi") + closing(code, "why"),), ((TEXT, b"hi"),), fails=1002)


def reason_cases():
    for size in range(124):
        reason = ("reason " * 18)[:size]
        yield Case("7.1.6", f"a reason of {size} bytes", (closing(4000, reason),), closes=(4000, reason))
    for reason in ("κόσμε", "€" * 41, "🦆" * 30 + "abc"):
        yield Case("7.1.6", f"a reason of {len(reason)} characters in {len(reason.encode())} bytes",
                   (closing(1000, reason),), closes=(1000, reason))
    whole = closing(4999, "in small pieces")
    yield Case("7.1.6", "a close byte by byte", tuple(bytes([byte]) for byte in whole), closes=(4999, "in small pieces"))


def broken_cases():
    yield Case("5.5.1", "a close of one byte", (frame(CLOSE, b"\x03"),), fails=1002)
    yield Case("5.5.1", "a close of one byte behind a message", (frame(TEXT, "hi") + frame(CLOSE, b"\x03"),),
               ((TEXT, b"hi"),), fails=1002)
    for size in (126, 127, 65536):
        yield Case("5.5", f"a close of {size} bytes", (frame(CLOSE, close_payload(1000, "x" * (size - 2))),), fails=1002)
    for name, sequence in utf8.invalid():
        if len(sequence) <= 123:
            yield Case("5.5.1", f"a reason with {name}", (closing(1000, sequence),), fails=1007)
    yield Case("5.5.1", "a reason of full length that ends inside a character",
               (closing(1000, b"x" * 121 + "€".encode()[:2]),), fails=1007)


def behind_cases():
    close = closing(1000, "bye")
    end = (1000, "bye")
    for name, more in (("a message", frame(TEXT, "late")), ("a ping", frame(PING, "late")), ("another close", closing(1001)),
                       ("an invalid close", closing(999)), ("a reserved opcode", frame(3)),
                       ("invalid text", frame(TEXT, b"\xff")), ("half a frame", frame(TEXT, "late")[:4]),
                       ("garbage", b"\xff" * 64), ("a long message", frame(BINARY, bytes(65536)))):
        yield Case("5.5.1", f"{name} behind a close is ignored", (close + more,), closes=end)
        yield Case("5.5.1", f"{name} behind a message and a close is ignored", (frame(TEXT, "hi") + close + more,),
                   ((TEXT, b"hi"),), closes=end)
    yield Case("7.1.4", "a close when a message has come back", (frame(TEXT, "hi"), Echoed(1), close), ((TEXT, b"hi"),),
               closes=end)
    yield Case("7.1.4", "a close behind a hundred messages",
               (b"".join(frame(TEXT, str(n)) for n in range(100)) + close,),
               tuple((TEXT, b"%d" % n) for n in range(100)), closes=end)
    yield Case("7.1.4", "a close behind large messages", (frame(BINARY, bytes(100_000)) * 2 + close,),
               ((BINARY, bytes(100_000)),) * 2, closes=end)
    yield Case("5.4", "a close inside a message", (frame(TEXT, "half", fin=False) + close,), closes=end)
    yield Case("5.4", "a close inside a message behind a whole one",
               (frame(TEXT, "hi") + frame(TEXT, "half", fin=False) + close,), ((TEXT, b"hi"),), closes=end)


def half_closed_cases():
    """The peer shuts down its half of the TCP connection."""
    yield Case("7.1.1", "the end of the stream behind a close", (closing(1000, "bye"), HangUp()), closes=(1000, "bye"))
    yield Case("7.1.1", "the end of the stream behind a message and a close",
               (frame(TEXT, "hi") + closing(4000), HangUp()), ((TEXT, b"hi"),), closes=(4000, ""))
    yield Case("7.1.7", "the end of the stream at once", (HangUp(),), hangs_up=True)
    yield Case("7.1.7", "the end of the stream behind a message", (frame(TEXT, "hi"), HangUp()), ((TEXT, b"hi"),),
               hangs_up=True)
    yield Case("7.1.7", "the end of the stream behind a ping", (frame(PING, "p"), HangUp()), pongs=(b"p",), hangs_up=True)
    yield Case("7.1.7", "the end of the stream behind a message that has come back",
               (frame(TEXT, "hi"), Echoed(1), HangUp()), ((TEXT, b"hi"),), hangs_up=True)
    yield Case("7.1.7", "the end of the stream inside a head", (frame(TEXT, "hi") + frame(TEXT, "x" * 200)[:3], HangUp()),
               ((TEXT, b"hi"),), hangs_up=True)
    yield Case("7.1.7", "the end of the stream inside a frame", (frame(TEXT, "hi") + frame(TEXT, "x" * 200)[:100], HangUp()),
               ((TEXT, b"hi"),), hangs_up=True)
    yield Case("7.1.7", "the end of the stream inside a message", (frame(TEXT, "hi") + frame(TEXT, "a", fin=False), HangUp()),
               ((TEXT, b"hi"),), hangs_up=True)
    yield Case("7.1.7", "the end of the stream behind a violation", (frame(3), HangUp()), fails=1002, hangs_up=True)


@cases(code_cases(), BOTH)
class CodeTest(ConformanceTest):
    pass


@cases(reason_cases(), BOTH)
class ReasonTest(ConformanceTest):
    pass


@cases(broken_cases(), BOTH)
class BrokenTest(ConformanceTest):
    pass


@cases(behind_cases(), BOTH)
class BehindTest(ConformanceTest):
    pass


@cases(half_closed_cases(), BOTH)
class HalfClosedTest(ConformanceTest):
    pass
