"""Section 5.5: pings, pongs, and control frames between the fragments of a message."""

from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, fragments, frame

from conformance.table import BOTH, Case, ConformanceTest, Ponged, cases

HI = frame(TEXT, "hi")
GOT_HI = ((TEXT, b"hi"),)


def ping_cases():
    for size in range(126):
        payload = bytes(n * 7 & 0xFF for n in range(size))
        yield Case("5.5.2", f"a ping of {size} bytes", (frame(PING, payload),), pongs=(payload,))
    for count in (2, 10, 100):
        payloads = tuple(b"ping %d" % n for n in range(count))
        yield Case("5.5.2", f"{count} pings in one segment", (b"".join(frame(PING, one) for one in payloads),),
                   pongs=payloads)
        yield Case("5.5.2", f"{count} pings in segments", tuple(frame(PING, one) for one in payloads), pongs=payloads)
    ping = frame(PING, b"\0\xff" * 62)
    yield Case("5.5.2", "a ping byte by byte", tuple(bytes([byte]) for byte in ping), pongs=(b"\0\xff" * 62,))
    yield Case("5.5.2", "a ping of bytes that are no text", (frame(PING, b"\xff\xfe"),), pongs=(b"\xff\xfe",))
    yield Case("5.5.2", "a ping before, between and behind messages",
               (b"".join((frame(PING, "1"), HI, frame(PING, "2"), HI, frame(PING, "3"))),), GOT_HI * 2,
               (b"1", b"2", b"3"))
    yield Case("5.5.2", "a ping before a close in one segment",
               (frame(PING, "p") + frame(CLOSE, close_payload(1000, "")),), pongs=(b"p",), closes=(1000, ""))
    yield Case("5.5.2", "a ping before a violation in one segment", (frame(PING, "p") + frame(3),), pongs=(b"p",),
               fails=1002)
    yield Case("5.5.2", "no pong for a ping behind a violation", (frame(3) + frame(PING, "p"),), fails=1002)


def pong_cases():
    for size in (0, 1, 4, 5, 124, 125):
        yield Case("5.5.3", f"an unsolicited pong of {size} bytes", (frame(PONG, b"\xff" * size) + HI,), GOT_HI)
    yield Case("5.5.3", "a pong and then a ping", (frame(PONG, "x") + frame(PING, "p"),), pongs=(b"p",))
    yield Case("5.5.3", "a hundred pongs", (frame(PONG, "x") * 100 + HI,), GOT_HI)
    yield Case("5.5.3", "a pong inside a message",
               (frame(TEXT, "h", fin=False) + frame(PONG, "x") + frame(CONTINUATION, "i"),), GOT_HI)


def between_cases():
    for name, opcode in (("text", TEXT), ("binary", BINARY)):
        for count in (2, 3, 5):
            frames = fragments(opcode, *(b"part%d" % n for n in range(count)))
            whole = ((opcode, b"".join(b"part%d" % n for n in range(count))),)
            for at in range(1, count):
                mixed = [*frames[:at], frame(PING, "p"), *frames[at:]]
                yield Case("5.5", f"a ping behind fragment {at} of {count} of {name}", (b"".join(mixed),), whole, (b"p",))
                yield Case("5.5", f"a ping behind fragment {at} of {count} of {name} that is answered at once",
                           (b"".join(frames[:at]), frame(PING, "p"), Ponged(1), b"".join(frames[at:])), whole, (b"p",))
            pings = b"".join(one + frame(PING, b"%d" % n) for n, one in enumerate(frames))
            yield Case("5.5", f"a ping behind each of {count} fragments of {name}", (pings,), whole,
                       tuple(b"%d" % n for n in range(count)))
            yield Case("5.5", f"a ping behind each of {count} fragments of {name} byte by byte",
                       tuple(bytes([byte]) for byte in pings), whole, tuple(b"%d" % n for n in range(count)))
    yield Case("5.5", "a ping inside a character", (b"".join((frame(TEXT, b"\xe2\x82", fin=False), frame(PING, "p"),
                                                            frame(CONTINUATION, b"\xac"))),), ((TEXT, "€".encode()),),
               (b"p",))


def fragmented_control_cases():
    for name, opcode, payload in (("ping", PING, b"hi"), ("pong", PONG, b"hi"), ("close", CLOSE, close_payload(1000)),
                                  ("empty ping", PING, b""), ("empty close", CLOSE, b"")):
        broken = frame(opcode, payload, fin=False)
        yield Case("5.5", f"a fragmented {name}", (broken,), fails=1002)
        yield Case("5.5", f"a fragmented {name} and its continuation", (broken + frame(CONTINUATION, "x"),), fails=1002)
        yield Case("5.5", f"a fragmented {name} behind a message", (HI + broken,), GOT_HI, fails=1002)
        yield Case("5.5", f"a fragmented {name} inside a message", (frame(TEXT, "a", fin=False) + broken,), fails=1002)
    for size in (126, 127, 200, 65535, 65536):
        for name, opcode in (("ping", PING), ("pong", PONG)):
            yield Case("5.5", f"a {name} of {size} bytes", (frame(opcode, b"x" * size),), fails=1002)


@cases(ping_cases())
class PingTest(ConformanceTest):
    pass


@cases(pong_cases(), BOTH)
class PongTest(ConformanceTest):
    pass


@cases(between_cases())
class BetweenTest(ConformanceTest):
    pass


@cases(fragmented_control_cases(), BOTH)
class FragmentedControlTest(ConformanceTest):
    pass
