"""Framed workers and raw clients by a library, many at once, and workers that are lost under load."""

import asyncio
import collections
import json
import struct
import unittest

import websockets

from broker import scaled
from case import BrokerCase

OPEN, TEXT, BINARY, CLOSE, CREDIT, CAPACITY, DRAIN, EVENT = range(1, 9)


class Echo:
    """A framed worker that answers each message with the same, and never has more channels than slots."""

    def __init__(self, url, slots):
        self.url, self.slots = url, slots
        self.open = set()
        self.most = 0
        self.served = 0
        self.faults = []

    async def run(self):
        async with websockets.connect(f"{self.url}?capacity={self.slots}", subprotocols=["tandem.v1"],
                                      max_size=None, max_queue=None, compression=None) as self.socket:
            self.ready.set()
            try:
                async for message in self.socket:
                    await self.take(*struct.unpack("!B3xI", message[:8]), message[8:])
            except websockets.ConnectionClosed:
                pass

    async def take(self, kind, channel, payload):
        if kind == OPEN:
            self.open.add(channel)
            self.served += 1
            self.most = max(self.most, len(self.open))
        elif kind == CLOSE:
            self.open.discard(channel)
        elif kind in (TEXT, BINARY):
            if channel not in self.open:
                self.faults.append(f"a message on channel {channel}, which isn't open")
            await self.socket.send(struct.pack("!B3xI", kind, channel) + payload)

    def start(self):
        self.ready = asyncio.Event()
        self.task = asyncio.create_task(self.run())
        return self.ready.wait()


async def chat(url, rounds, name):
    """Sends numbered messages and awaits the same, in order. Returns how many came back, and how it ended."""
    async with websockets.connect(url, compression=None) as socket:
        done = 0
        try:
            for n in range(rounds):
                await socket.send(f"{name} {n}")
                got = await asyncio.wait_for(socket.recv(), scaled(20))
                assert got == f"{name} {n}", f"expected {name} {n}, got {got}"
                done += 1
        except websockets.ConnectionClosed as closed:
            return done, closed.rcvd and closed.rcvd.code
        return done, None


class FleetTest(BrokerCase):
    options = ("--mode=pool", "--wait-timeout=0")

    def test_clients_spread_over_workers_with_exact_capacity(self):
        asyncio.run(self.fleet())

    async def fleet(self):
        workers = [Echo(self.broker.url("/worker/gpu"), 8) for _ in range(10)]
        for worker in workers:
            await worker.start()
        # Twice as many clients as there are slots, so that half of them wait for their turn.
        results = await asyncio.gather(*(chat(self.broker.url("/client/gpu"), 20, f"c{n}") for n in range(160)))
        self.assertEqual(collections.Counter(results), {(20, None): 160})
        self.assertEqual([x for worker in workers for x in worker.faults], [])
        self.assertEqual(sum(worker.served for worker in workers), 160)
        self.assertLessEqual(max(worker.most for worker in workers), 8)
        for worker in workers:
            await worker.socket.close()
            await worker.task


class LossTest(BrokerCase):
    options = ("--mode=pool", "--on-peer-loss=rematch", "--wait-timeout=0")

    def test_clients_of_a_lost_worker_go_on_with_another(self):
        asyncio.run(self.loss())

    async def loss(self):
        first, second = (Echo(self.broker.url("/worker/gpu"), 20) for _ in range(2))
        await first.start()
        sockets = [await websockets.connect(self.broker.url("/client/gpu"), compression=None) for _ in range(20)]
        for n, socket in enumerate(sockets):
            await socket.send(f"one {n}")
            self.assertEqual(await socket.recv(), f"one {n}")
        await second.start()
        first.socket.transport.abort()
        await first.task
        await self.told_of_another(sockets, second)
        await second.socket.close()
        for socket in sockets:
            await socket.close()

    async def told_of_another(self, sockets, worker):
        for _ in range(1000):
            if len(worker.open) == len(sockets):
                break
            await asyncio.sleep(0.01)
        for n, socket in enumerate(sockets):
            await socket.send(f"two {n}")
            self.assertEqual(await asyncio.wait_for(socket.recv(), scaled(10)), f"two {n}")

    def test_a_framed_client_is_told_all_of_it(self):
        asyncio.run(self.framed_client())

    async def framed_client(self):
        client = await websockets.connect(self.broker.url("/client/gpu"), subprotocols=["tandem.json.v1"], compression=None)
        self.assertEqual((await self.event(client))["event"], "welcome")
        self.assertEqual(await self.event(client), {"type": "event", "event": "waiting", "position": 1})
        for text in ("first", "second"):
            worker = Echo(self.broker.url("/worker/gpu"), 1)
            await worker.start()
            opened = await self.event(client)
            self.assertEqual((opened["type"], opened["channel"], opened["key"]), ("open", 1, "gpu"))
            await client.send(json.dumps({"type": "message", "channel": 1, "text": text}))
            self.assertEqual(await self.event(client), {"type": "message", "channel": 1, "text": text})
            worker.socket.transport.abort()
            await worker.task
            self.assertEqual(await self.event(client), {"type": "event", "event": "peer-lost", "rematching": True})
            self.assertEqual(await self.event(client), {"type": "event", "event": "waiting", "position": 1})
        await client.close()

    async def event(self, client):
        """The next message that isn't about credit."""
        while (got := json.loads(await asyncio.wait_for(client.recv(), scaled(10))))["type"] == "credit":
            pass
        return got


if __name__ == "__main__":
    unittest.main()
