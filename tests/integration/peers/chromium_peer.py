"""A peer in Debian's Chromium; see __init__.py. It can't send pings or choose fragments.

The browser shows one page, chromium_peer.html, whose script speaks the line protocol over a WebSocket of its own to this
program.
"""

import asyncio
import http
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import websockets

from lines import LARGEST, say, stdin_lines

PAGE = pathlib.Path(__file__).with_name("chromium_peer.html").read_bytes()
# No look at the network at the start, and any certificate will do: the broker's are made for the test.
OPTIONS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--ignore-certificate-errors")
# Chromium refuses to be root within its sandbox.
AS_ROOT = ("--no-sandbox",) if os.geteuid() == 0 else ()


async def page(path, _headers):
    if path == "/":
        return http.HTTPStatus.OK, [("Content-Type", "text/html; charset=utf-8")], PAGE
    return None if path == "/lines" else (http.HTTPStatus.NOT_FOUND, [], b"")


async def relay(script):
    """Passes lines on between the page's script and whoever runs this program."""
    async def to_script():
        async for line in stdin_lines():
            await script.send(line)

    async def from_script():
        async for line in script:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    say("ready")
    tasks = [asyncio.create_task(to_script()), asyncio.create_task(from_script())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def main():
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is missing")
    done = asyncio.Event()

    async def converse(script):
        await relay(script)
        done.set()

    async with websockets.serve(converse, "127.0.0.1", 0, process_request=page, max_size=4 * LARGEST,
                                compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="tandem-chromium-", ignore_cleanup_errors=True) as profile:
            process = await asyncio.create_subprocess_exec(
                browser, *OPTIONS, *AS_ROOT, f"--user-data-dir={profile}", f"http://127.0.0.1:{port}/",
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True)
            ended = asyncio.create_task(process.wait())
            await asyncio.wait([ended, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED)
            if process.returncode is None:
                # All of the browser's processes: they are a session of their own.
                os.killpg(process.pid, signal.SIGKILL)
                await ended


asyncio.run(main())
