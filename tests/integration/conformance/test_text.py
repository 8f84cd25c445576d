"""Section 8.1: text is UTF-8, and what isn't is refused at its first bad byte, however it is cut."""

from wire import CONTINUATION, PING, TEXT, fragments, frame

from conformance import utf8
from conformance.table import BOTH, Case, ConformanceTest, Ponged, cases

# What of a frame is still to come, when the frame is to fail before that.
REST = 10


def announced(opcode, payload, rest=REST):
    """A last frame of which so many bytes are missing."""
    return frame(opcode, payload, length=len(payload) + rest)


def valid_cases():
    for name, sequence in utf8.valid():
        message = ((TEXT, sequence),)
        yield Case("8.1", f"{name} whole", (frame(TEXT, sequence),), message)
        for at in range(1, len(sequence)):
            yield Case("8.1", f"{name} cut at {at}", (b"".join(fragments(TEXT, sequence[:at], sequence[at:])),), message)
        yield Case("8.1", f"{name} in fragments of a byte",
                   tuple(fragments(TEXT, *(sequence[n:n + 1] for n in range(len(sequence))))), message)


def whole_cases():
    for name, sequence in utf8.invalid():
        yield Case("8.1", f"{name}", (frame(TEXT, sequence),), fails=1007)
        yield Case("8.1", f"{name} behind a message", (frame(TEXT, "before") + frame(TEXT, sequence),),
                   ((TEXT, b"before"),), fails=1007)
        yield Case("8.1", f"{name} in fragments of a byte",
                   (b"".join(fragments(TEXT, *(sequence[n:n + 1] for n in range(len(sequence))))),), fails=1007)
        yield Case("8.1", f"{name} byte by byte",
                   tuple(bytes([byte]) for byte in frame(TEXT, sequence)[:6 + (utf8.first_bad_byte(sequence)
                                                                              or len(sequence)) + 1]), fails=1007)


def fast_cases():
    """Up to the first bad byte all is well, which an answered ping shows, and with it the connection fails."""
    for name, sequence in utf8.invalid():
        at = utf8.first_bad_byte(sequence)
        good, bad = (sequence, b"") if at is None else (sequence[:at], sequence[at:at + 1])
        begin = (frame(TEXT, good, fin=False) + frame(PING, "p"), Ponged(1))
        if at is None:
            yield Case("8.1", f"{name} and an empty last fragment", (*begin, frame(CONTINUATION)), pongs=(b"p",),
                       fails=1007)
            yield Case("8.1", f"{name} and another character", (*begin, announced(CONTINUATION, b"x")), pongs=(b"p",),
                       fails=1007)
        else:
            yield Case("8.1", f"{name} at its first bad byte in a fragment", (*begin, announced(CONTINUATION, bad)),
                       pongs=(b"p",), fails=1007)
            yield Case("8.1", f"{name} at its first bad byte inside a frame",
                       tuple(part for part in (announced(TEXT, good + bad)[:6 + len(good)],
                                               announced(TEXT, good + bad)[6 + len(good):]) if part), fails=1007)


def prefix_cases():
    """A message may not end inside a character."""
    text = "κόσμε€𤭢".encode()
    for size in range(1, len(text)):
        if utf8.first_bad_byte(text[:size]) is None and not is_whole(text[:size]):
            yield Case("8.1", f"the first {size} bytes of a text", (frame(TEXT, text[:size]),), fails=1007)
            yield Case("8.1", f"the first {size} bytes of a text and another message",
                       (frame(TEXT, text[:size]) + frame(TEXT, text[size:]),), fails=1007)


def is_whole(sequence):
    try:
        sequence.decode()
    except UnicodeDecodeError:
        return False
    return True


@cases(valid_cases())
class ValidTest(ConformanceTest):
    pass


@cases(whole_cases())
class InvalidTest(ConformanceTest):
    pass


@cases(fast_cases())
class FailFastTest(ConformanceTest):
    pass


@cases(prefix_cases(), BOTH)
class PrefixTest(ConformanceTest):
    pass


class SplitTest(ConformanceTest):
    """Each invalid sequence, cut at each place: between fragments, and between segments of one frame."""


def add_splits():
    for name, sequence in utf8.invalid():
        def test(self, sequence=sequence):
            whole = frame(TEXT, sequence)
            at_fault = utf8.first_bad_byte(sequence)
            for at in range(1, len(sequence)):
                with self.subTest(at=at):
                    self.run_case(Case("8.1", "", (b"".join(fragments(TEXT, sequence[:at], sequence[at:])),), fails=1007))
                    # Once the fault is there, the broker hangs up: only then is nothing left to send.
                    if at_fault is None or at_fault >= at:
                        self.run_case(Case("8.1", "", (whole[:6 + at], whole[6 + at:]), fails=1007))
        setattr(SplitTest, "test_8_1_" + "_".join(name.replace(",", "").split()), test)


add_splits()
