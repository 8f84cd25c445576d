"""RFC 6455 as a table of cases: what a WebSocket sees of tandem with an echo worker behind it.

A case names the section that it checks, says what its side sends, and what has to come of that: messages that come back,
pongs, a close. table.py has the cases' form and runs them over real sockets; the test_* modules have the cases, each of
which is a test of its own with the section in its name. So `tests/integration/run.py 5_5_2` runs what is about pings.

To add a case, add a line to the group of its section. A case with a new kind of step or end needs a field in table.py.
What is refused before the upgrade (section 4) is tested in test_refusals.py.

The measure of completeness is the case list of the Autobahn|Testsuite:

| Autobahn | is about | here |
|---|---|---|
| 1.1, 1.2 | text and binary of all sizes, in chops | test_framing: sizes, chops |
| 2 | pings and pongs | test_control |
| 3 | reserved bits | test_framing: reserved bits, each of the seven on each kind of frame |
| 4.1, 4.2 | reserved opcodes | test_framing: opcodes, each alone, behind a message and inside one |
| 5 | fragments, control frames between them | test_framing: fragments; test_control: between fragments |
| 6.1 | empty text, empty fragments | test_framing: fragments |
| 6.2 | valid UTF-8 in any pieces | test_text: valid sequences, at each split |
| 6.3, 6.4 | invalid UTF-8, fail fast | test_text: invalid sequences, at each split and at the first bad byte |
| 6.5 to 6.23 | Kuhn's sequences | utf8.py, from the rules of RFC 3629 |
| 7.1, 7.3 | closing, close frames of each size | test_closing: what follows a close, reasons, sizes |
| 7.5 | reasons that aren't UTF-8 | test_closing: reasons |
| 7.7, 7.9, 7.13 | valid and invalid close codes | test_closing: codes |
| 9.1 to 9.6 | large messages, whole, in fragments, in chops | test_framing: sizes, and LargeMessageTest in test_flow.py |
| 9.7, 9.8 | a thousand round trips | test_framing: in order |
| 10.1 | fragments that a library makes | test_framing: fragments |

Autobahn's list has nothing of what a worker sees. Here each case checks that too: the same messages, and the close code
and reason by which it learns of the end. Cases in which a connection ends are run in both roles: as a client with an
echo worker behind the broker, and as a worker with an echo client.
"""
