"""What a client sends is what its worker receives, and back, whatever libraries the two are written with."""

import asyncio
import unittest

from broker import Broker, scaled
from peers import NpmPeer, TornadoPeer, WebsocketsPeer

MEBIBYTE = 1 << 20


class PeerCase(unittest.IsolatedAsyncioTestCase):
    """A broker per test, and peers of the libraries that `Client` and `Worker` name."""

    options = ()

    async def asyncSetUp(self):
        # unittest turns this on, and then asyncio remarks on each step that takes a while.
        asyncio.get_running_loop().set_debug(False)
        self.broker = self.enterContext(Broker(*self.options))

    async def open(self, kind, path):
        peer = await asyncio.wait_for(kind.open(self.broker.url(path)), scaled(20))
        self.addAsyncCleanup(peer.release)
        return peer

    async def pair(self, key="gpu"):
        return await self.open(self.Client, f"/client/{key}"), await self.open(self.Worker, f"/worker/{key}")

    async def in_time(self, *awaitables):
        return await asyncio.wait_for(asyncio.gather(*awaitables), scaled(20))

    async def receive(self, peer, count):
        return [await peer.receive() for _ in range(count)]

    async def assert_arrives(self, sender, receiver, messages):
        """All messages arrive as they were sent, in order; sending doesn't wait for that."""
        async def send():
            for message in messages:
                await sender.send(message)

        _, received = await self.in_time(send(), self.receive(receiver, len(messages)))
        # Not assertEqual: its report of a difference takes minutes for large messages.
        self.assertTrue(received == messages, f"got {len(received)} other messages than were sent")

    async def assert_relays(self, client, worker, messages):
        await self.assert_arrives(client, worker, messages)
        await self.assert_arrives(worker, client, messages)


class Relay:
    """The tests that every pair of libraries runs."""

    async def test_text_binary_and_empty(self):
        client, worker = await self.pair()
        await self.assert_relays(client, worker, ["text", b"binary", "", b"", "\0", b"\0\xff", "text again"])

    async def test_unicode(self):
        client, worker = await self.pair()
        await self.assert_relays(client, worker, ["grüße", "日本語", "🦆" * 1000, "\u0000\uffff\U0010ffff"])

    async def test_every_length_of_the_length_field(self):
        client, worker = await self.pair()
        await self.assert_relays(client, worker, [b"x" * n for n in (1, 124, 125, 126, 127, 65535, 65536)])

    async def test_a_mebibyte(self):
        client, worker = await self.pair()
        await self.assert_relays(client, worker, [bytes(range(256)) * (MEBIBYTE // 256), "é" * (MEBIBYTE // 2)])

    async def test_a_thousand_messages_both_ways_at_once(self):
        client, worker = await self.pair()
        there, back = ([f"{way} {n}" for n in range(1000)] for way in ("there", "back"))
        await asyncio.gather(self.assert_arrives(client, worker, there), self.assert_arrives(worker, client, back))

    async def test_worker_comes_first(self):
        worker = await self.open(self.Worker, "/worker/first")
        client = await self.open(self.Client, "/client/first")
        await self.assert_relays(client, worker, ["hello"])

    async def test_messages_before_the_peer_came_are_kept(self):
        client = await self.open(self.Client, "/client/early")
        early = [f"early {n}" for n in range(50)]
        for message in early:
            await client.send(message)
        worker = await self.open(self.Worker, "/worker/early")
        self.assertEqual(await self.in_time(self.receive(worker, len(early))), [early])
        await self.assert_relays(client, worker, ["and now live"])

    async def test_keys_are_apart(self):
        pairs = [await self.pair(key) for key in ("one", "two", "caf%C3%A9", "a.b-c_d~e")]
        for number, (client, worker) in enumerate(pairs):
            await client.send(f"for worker {number}")
            await worker.send(f"for client {number}")
        for number, (client, worker) in enumerate(pairs):
            received = await self.in_time(worker.receive(), client.receive())
            self.assertEqual(received, [f"for worker {number}", f"for client {number}"])

    async def test_pings_are_answered_with_and_without_a_peer(self):
        client = await self.open(self.Client, "/client/ping")
        await self.in_time(client.ping("alone"))
        worker = await self.open(self.Worker, "/worker/ping")
        await self.in_time(client.ping("paired"), worker.ping("worker"))

    async def test_the_client_closes(self):
        client, worker = await self.pair()
        await client.send("last words")
        self.assertEqual(await self.in_time(worker.receive()), ["last words"])
        await client.close(4321, "that is äll")
        self.assertEqual(await self.in_time(worker.closed()), [(4321, "that is äll")])

    async def test_the_worker_closes(self):
        client, worker = await self.pair()
        # Until something has passed, the worker may come and go before the client is known.
        await worker.send("last words")
        self.assertEqual(await self.in_time(client.receive()), ["last words"])
        await worker.close(3000, "done")
        self.assertEqual(await self.in_time(client.closed()), [(3000, "done")])

    async def test_what_came_before_the_close_arrives_before_it(self):
        client, worker = await self.pair()
        messages = [f"{n} " * 100 for n in range(500)]

        async def send():
            for message in messages:
                await client.send(message)
            await client.close(1000, "bye")

        _, received = await self.in_time(send(), self.receive(worker, len(messages)))
        self.assertEqual(received, messages)
        self.assertEqual(await self.in_time(worker.closed()), [(1000, "bye")])


class WebsocketsToTornadoTest(Relay, PeerCase):
    Client, Worker = WebsocketsPeer, TornadoPeer


class TornadoToNpmTest(Relay, PeerCase):
    Client, Worker = TornadoPeer, NpmPeer


class NpmToWebsocketsTest(Relay, PeerCase):
    Client, Worker = NpmPeer, WebsocketsPeer


class SpreadTest(Relay, PeerCase):
    """The two ends of a pair on different network workers."""

    Client, Worker = WebsocketsPeer, WebsocketsPeer
    options = ("--scheduler.max-threads=4", "--scheduler.placement=spread")


class FragmentTest(PeerCase):
    """Messages that their sender cuts into fragments arrive whole."""

    Client, Worker = WebsocketsPeer, NpmPeer

    async def test_text(self):
        client, worker = await self.pair()
        for sender, receiver in ((client, worker), (worker, client)):
            await sender.send_fragments("one ", "twö ", "", "three")
            self.assertEqual(await self.in_time(receiver.receive()), ["one twö three"])

    async def test_binary(self):
        client, worker = await self.pair()
        for sender, receiver in ((client, worker), (worker, client)):
            await sender.send_fragments(b"\0" * 70000, b"", b"\1" * 70000)
            self.assertEqual(await self.in_time(receiver.receive()), [b"\0" * 70000 + b"\1" * 70000])


if __name__ == "__main__":
    unittest.main()
