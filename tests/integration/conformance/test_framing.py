"""Sections 5.1 to 5.6: frames, fragments, lengths, masks, reserved bits and opcodes."""

from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, fragments, frame

from conformance.table import BOTH, Case, ConformanceTest, Echoed, Ponged, cases

KINDS = {"text": TEXT, "binary": BINARY}
MIB = 1 << 20
BEFORE = frame(TEXT, "before")
GOT_BEFORE = ((TEXT, b"before"),)


def body(opcode, size):
    """A payload of so many bytes in which no byte can be mistaken for its neighbour."""
    return (b"0123456789abcdefghijklmnopqrstuvwxyz" if opcode == TEXT else bytes(range(251))) * (size // 36 + 1)


def sized(opcode, size):
    return body(opcode, size)[:size]


def chopped(data, size):
    return tuple(data[at:at + size] for at in range(0, len(data), size))


SIZES = [0, 1, 2, 16, 124, 125, 126, 127, 128, 255, 256, 1000, 65534, 65535, 65536, 65537, 131072, MIB]


def size_cases():
    for name, opcode in KINDS.items():
        for size in SIZES:
            yield Case("5.6", f"{name} of {size} bytes", (frame(opcode, sized(opcode, size)),),
                       ((opcode, sized(opcode, size)),))
        for size, chop in ((1, 1), (130, 1), (130, 2), (130, 3), (130, 7), (1000, 997), (65536, 997), (65536, 1460),
                           (MIB, 65536)):
            yield Case("5.2", f"{name} of {size} bytes in chops of {chop}",
                       chopped(frame(opcode, sized(opcode, size)), chop), ((opcode, sized(opcode, size)),))
        messages = tuple((opcode, b"%d" % n) for n in range(1000))
        yield Case("5.4", f"1000 {name} messages in order in one segment",
                   (b"".join(frame(*message) for message in messages),), messages)
        yield Case("5.4", f"100 {name} round trips",
                   tuple(step for n in range(100) for step in (frame(*messages[n]), Echoed(n + 1))), messages[:100])


def splits(data, count):
    """All ways to cut the data in so many parts, empty ones too."""
    if count == 1:
        yield (data,)
        return
    for at in range(len(data) + 1):
        for rest in splits(data[at:], count - 1):
            yield (data[:at], *rest)


def fragment_cases():
    for name, opcode in KINDS.items():
        for count in (2, 3, 4):
            for parts in splits(b"abc", count):
                written = "|".join(part.decode() or "-" for part in parts)
                for way, join in (("in one segment", True), ("in segments", False)):
                    frames = fragments(opcode, *parts)
                    yield Case("5.4", f"{name} {written} {way}".replace("|", " I "),
                               (b"".join(frames),) if join else tuple(frames), ((opcode, b"abc"),))
        for count in (1, 2, 3, 100):
            yield Case("5.4", f"{name} of {count} empty fragments", (b"".join(fragments(opcode, *[b""] * count)),),
                       ((opcode, b""),))
        for size, piece in ((1000, 1), (65536, 64), (65536, 1300), (MIB, 4096), (MIB, 65536), (MIB, 262144)):
            whole = sized(opcode, size)
            yield Case("5.4", f"{name} of {size} bytes in fragments of {piece}",
                       (b"".join(fragments(opcode, *chopped(whole, piece))),), ((opcode, whole),))
        yield Case("5.4", f"{name} messages in fragments back to back",
                   (b"".join(b"".join(fragments(opcode, b"a%d" % n, b"", b"b")) for n in range(20)),),
                   tuple((opcode, b"a%db" % n) for n in range(20)))
        whole = b"".join(fragments(opcode, b"one", b"two", b"three"))
        yield Case("5.4", f"{name} fragments byte by byte", chopped(whole, 1), ((opcode, b"onetwothree"),))


def mask_cases():
    payload = bytes(range(256))
    for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\xff\0\1", b"\x80\0\0\0"):
        yield Case("5.3", f"the mask {mask.hex()}", (frame(BINARY, payload, mask=mask),), ((BINARY, payload),))
    for size in range(1, 18):
        yield Case("5.3", f"a mask over {size} bytes", (frame(BINARY, payload[:size]),), ((BINARY, payload[:size]),))
    yield Case("5.3", "a mask of its own for each fragment",
               (b"".join(frame(CONTINUATION if n else BINARY, payload[n:n + 1], fin=n == 255, mask=bytes([n, 1, 2, 3]))
                         for n in range(256)),), ((BINARY, payload),))


def failing(section, name, broken):
    """Alone, and behind a message that still arrives."""
    yield Case(section, name, (broken,), fails=1002)
    yield Case(section, f"{name} behind a message", (BEFORE + broken,), GOT_BEFORE, fails=1002)


def unmasked_cases():
    for name, bare in (("a text", frame(TEXT, "hi", mask=None)), ("an empty text", frame(TEXT, mask=None)),
                       ("a binary", frame(BINARY, "hi", mask=None)), ("a ping", frame(PING, "hi", mask=None)),
                       ("a pong", frame(PONG, mask=None)), ("a close", frame(CLOSE, close_payload(1000), mask=None)),
                       ("a text of 64 KiB", frame(TEXT, "x" * 65536, mask=None))):
        yield from failing("5.1", f"{name} without a mask", bare)
    yield Case("5.1", "a continuation without a mask",
               (frame(TEXT, "a", fin=False) + frame(CONTINUATION, "b", mask=None),), fails=1002)


def reserved_bit_cases():
    whole = {"text": frame, "binary": frame, "ping": frame, "pong": frame, "close": frame}
    opcodes = {"text": TEXT, "binary": BINARY, "ping": PING, "pong": PONG, "close": CLOSE}
    for bits in range(1, 8):
        for name in whole:
            payload = close_payload(1000) if name == "close" else b"hi"
            yield from failing("5.2", f"reserved bits {bits:03b} on a {name}",
                               frame(opcodes[name], payload, reserved=bits))
        yield Case("5.2", f"reserved bits {bits:03b} on an empty ping", (frame(PING, reserved=bits),), fails=1002)
        yield Case("5.2", f"reserved bits {bits:03b} on a first fragment",
                   (frame(TEXT, "a", fin=False, reserved=bits),), fails=1002)
        yield Case("5.2", f"reserved bits {bits:03b} on a continuation",
                   (frame(TEXT, "a", fin=False) + frame(CONTINUATION, "b", reserved=bits),), fails=1002)
        yield Case("5.2", f"reserved bits {bits:03b} behind a message that came back and before a ping",
                   (BEFORE, Echoed(1), frame(TEXT, "hi", reserved=bits) + frame(PING)), GOT_BEFORE, fails=1002)


def opcode_cases():
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield from failing("5.2", f"opcode {opcode}", frame(opcode, "hi"))
        yield Case("5.2", f"opcode {opcode} without payload", (frame(opcode),), fails=1002)
        yield Case("5.2", f"opcode {opcode} between a message that came back and a ping",
                   (BEFORE, Echoed(1), frame(opcode, "hi") + frame(PING)), GOT_BEFORE, fails=1002)
        yield Case("5.2", f"opcode {opcode} inside a message",
                   (frame(TEXT, "a", fin=False) + frame(opcode) + frame(CONTINUATION, "b"),), fails=1002)
        yield Case("5.2", f"opcode {opcode} byte by byte", chopped(BEFORE + frame(opcode), 1), GOT_BEFORE, fails=1002)


def order_cases():
    first, open_text = frame(TEXT, "a", fin=False), fragments(TEXT, b"a", b"b", fin=False)
    yield from failing("5.4", "a last continuation of nothing", frame(CONTINUATION, "hi"))
    yield from failing("5.4", "a continuation of nothing", frame(CONTINUATION, "hi", fin=False))
    yield from failing("5.4", "an empty continuation of nothing", frame(CONTINUATION))
    for name, opcode in KINDS.items():
        for fin in (True, False):
            new = frame(opcode, "new", fin=fin)
            half = "" if fin else "half a "
            yield from failing("5.4", f"{half}{name} inside a message", first + new)
            yield from failing("5.4", f"{half}{name} inside a message of two fragments", b"".join(open_text) + new)
    yield Case("5.4", "a continuation behind the last fragment",
               (b"".join(fragments(TEXT, b"a", b"b")) + frame(CONTINUATION, "c"),), ((TEXT, b"ab"),), fails=1002)
    yield Case("5.4", "continuations of nothing between messages",
               (b"".join((BEFORE, frame(CONTINUATION, "x", fin=False), BEFORE)),), GOT_BEFORE, fails=1002)
    yield Case("5.4", "a frame out of order behind a pong",
               (first, frame(PING, "p"), Ponged(1), frame(TEXT, "b")), pongs=(b"p",), fails=1002)


def length_cases():
    for name, opcode in {**KINDS, "ping": PING, "pong": PONG}.items():
        for size in (0, 1, 125):
            yield Case("5.2", f"{size} bytes of {name} with a length of 16 bits",
                       (frame(opcode, "x" * size, form=16),), fails=1002)
            yield Case("5.2", f"{size} bytes of {name} with a length of 64 bits",
                       (frame(opcode, "x" * size, form=64),), fails=1002)
    for size in (126, 65535):
        yield from failing("5.2", f"{size} bytes with a length of 64 bits", frame(BINARY, "x" * size, form=64))
    for length in (1 << 63, (1 << 63) + 5, (1 << 64) - 1):
        yield from failing("5.2", f"a length of {length}", frame(BINARY, "x", length=length, form=64))
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        for length in (126, 127, 65535, 65536, (1 << 63) - 1):
            yield from failing("5.5", f"a {name} that claims {length} bytes", frame(opcode, b"", length=length))
    for length in (1 << 32, (1 << 63) - 1):
        yield Case("10.4", f"a length of {length} beyond the limit", (BEFORE + frame(BINARY, "x", length=length),),
                   GOT_BEFORE, fails=1009)
    yield Case("10.4", "fragments that claim more than the limit together",
               (frame(BINARY, "x", fin=False) + frame(CONTINUATION, "x", length=(1 << 63) - 1),), fails=1009)


@cases(size_cases())
class SizeTest(ConformanceTest):
    pass


@cases(fragment_cases())
class FragmentTest(ConformanceTest):
    pass


@cases(mask_cases())
class MaskTest(ConformanceTest):
    pass


@cases(unmasked_cases(), BOTH)
class UnmaskedTest(ConformanceTest):
    pass


@cases(reserved_bit_cases())
class ReservedBitTest(ConformanceTest):
    pass


@cases(opcode_cases())
class OpcodeTest(ConformanceTest):
    pass


@cases(order_cases(), BOTH)
class OrderTest(ConformanceTest):
    pass


@cases(length_cases())
class LengthTest(ConformanceTest):
    pass
