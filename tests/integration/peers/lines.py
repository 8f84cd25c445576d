"""The line protocol of the peers (see __init__.py), for the programs that are written on asyncio."""

import asyncio
import json
import ssl
import sys

# The longest message that a peer takes, in bytes; a line of hexadecimal digits is twice as long.
LARGEST = 64 << 20


def say(event, number=None, **fields):
    sys.stdout.write(json.dumps({"event": event, "id": number, **fields}) + "\n")
    sys.stdout.flush()


def message_fields(message):
    return {"text": message} if isinstance(message, str) else {"hex": message.hex()}


def message_of(fields):
    return fields["text"] if "text" in fields else bytes.fromhex(fields["hex"])


def tls_context(ca):
    """A context that trusts the certificates in the file `ca`; None without one."""
    return ssl.create_default_context(cafile=ca) if ca else None


async def _carry_out(connection, operations):
    while True:
        operation = await operations.get()
        try:
            await getattr(connection, operation.pop("op"))(**operation)
        except Exception as error:  # Whatever went wrong is the test's to judge.
            say("error", connection.number, message=f"{type(error).__name__}: {error}")


async def stdin_lines():
    reader = asyncio.StreamReader(limit=4 * LARGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode()


async def serve(connection_type):
    """Has `connection_type(number)` carry out the operations of each connection, by its methods of the same names."""
    operations, tasks = {}, set()
    say("ready")
    async for line in stdin_lines():
        operation = json.loads(line)
        number = operation.pop("id")
        if operation["op"] == "open":
            operations[number] = asyncio.Queue()
            tasks.add(asyncio.create_task(_carry_out(connection_type(number), operations[number])))
        operations[number].put_nowait(operation)
