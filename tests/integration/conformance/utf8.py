"""Valid and invalid UTF-8 by the rules of RFC 3629, in the groups of Markus Kuhn's stress test for decoders."""

# The lowest code point that needs so many bytes in the pattern that UTF-8 had before RFC 3629, and the end.
FIRST = {1: 0, 2: 0x80, 3: 0x800, 4: 0x10000, 5: 0x200000, 6: 0x4000000, 7: 0x80000000}
SIZES = range(2, 7)
LAST_CODE_POINT = 0x10FFFF


def pattern(code, size):
    """A code point in the bit pattern of so many bytes, allowed or not."""
    if size == 1:
        return bytes([code])
    lead = 0xFF << (8 - size) & 0xFF | code >> 6 * (size - 1)
    return bytes([lead, *(0x80 | code >> 6 * n & 0x3F for n in reversed(range(size - 1)))])


def last(size):
    """The highest code point that the pattern of so many bytes holds."""
    return FIRST[size + 1] - 1


def valid():
    """Names and sequences that are UTF-8."""
    yield "ASCII", b"a plain sentence"
    yield "each length", "a¢€𤭢".encode()
    yield "Greek", "κόσμε".encode()
    for size in (1, 2, 3, 4):
        yield f"the first code point of {size} bytes", pattern(FIRST[size], size)
        yield f"the last code point of {size} bytes", pattern(min(last(size), LAST_CODE_POINT), size)
    for code in (0xD7FF, 0xE000, 0xFDD0, 0xFDEF, 0xFEFF, 0xFFFD):
        yield f"U+{code:04X}", chr(code).encode()
    for plane in range(17):
        # Noncharacters are for internal use, but they are valid UTF-8.
        yield f"the noncharacters of plane {plane}", "".join(chr(plane << 16 | low) for low in (0xFFFE, 0xFFFF)).encode()


def invalid():
    """Names and sequences that aren't UTF-8, or not yet at their end."""
    for count in range(1, 8):
        yield f"{count} continuation bytes alone", bytes(0x80 | n % 2 * 0x3F for n in range(count))
    yield "all continuation bytes", bytes(range(0x80, 0xC0))
    for size in SIZES:
        leads = range(pattern(0, size)[0], pattern(last(size), size)[0] + 1)
        yield f"all first bytes of {size}, alone", b"".join(bytes([lead]) + b" " for lead in leads)
    for size in SIZES:
        for name, code in (("lowest", 0), ("highest", last(size))):
            yield f"the {name} sequence of {size} bytes without its last", pattern(code, size)[:-1]
    yield "sequences without their last byte in a row", b"".join(
        pattern(code, size)[:-1] for size in SIZES for code in (0, last(size)))
    for code in (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"):
        yield f"the impossible {code.hex()}", code
    for size in SIZES:
        yield f"an overlong slash of {size} bytes", pattern(ord("/"), size)
        yield f"the highest overlong sequence of {size} bytes", pattern(FIRST[size] - 1, size)
        yield f"an overlong NUL of {size} bytes", pattern(0, size)
    for code in (0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF):
        yield f"the surrogate {code:04X}", pattern(code, 3)
    for high in (0xD800, 0xDB7F, 0xDB80, 0xDBFF):
        for low in (0xDC00, 0xDFFF):
            yield f"the surrogates {high:04X} {low:04X}", pattern(high, 3) + pattern(low, 3)
    yield "the first code point too many", pattern(LAST_CODE_POINT + 1, 4)
    for size in (4, 5, 6):
        yield f"the highest sequence of {size} bytes", pattern(last(size), size)
    for size in (5, 6):
        yield f"the first sequence of {size} bytes", pattern(FIRST[size], size)
    # One fault in good surroundings: behind text, before text, between text.
    yield "a fault behind text", "κόσμε".encode() + b"\xf4\x90\x80\x80"
    yield "a fault before text", b"\xed\xa0\x80" + b"edited"
    yield "a fault between text", "κόσμε".encode() + b"\xed\xa0\x80" + b"edited"
    yield "a character cut by another", b"\xe2\x82" + "€".encode()


def size_of(lead):
    """How many bytes a sequence has that begins with this one; None if none does."""
    return next((size for size in (1, 2, 3, 4) if pattern(0, size)[0] <= lead <= pattern(last(size), size)[0]), None)


def may_begin(prefix):
    """True if some character's sequence, which begins as this one does, is valid."""
    size = size_of(prefix[0])
    if size is None or any(byte & 0xC0 != 0x80 for byte in prefix[1:]):
        return False
    code = prefix[0] & 0xFF >> (size + 1 if size > 1 else 1)
    for byte in prefix[1:]:
        code = code << 6 | byte & 0x3F
    missing = 6 * (size - len(prefix))
    low, high = code << missing, (code + 1 << missing) - 1
    low, high = max(low, FIRST[size]), min(high, LAST_CODE_POINT)
    return low <= high and not 0xD800 <= low <= high <= 0xDFFF


def first_bad_byte(sequence):
    """Where it becomes clear that this isn't UTF-8; None if it only lacks an end."""
    begin = 0
    for at in range(len(sequence)):
        if not may_begin(sequence[begin:at + 1]):
            return at
        if at + 1 - begin == size_of(sequence[begin]):
            begin = at + 1
    return None
