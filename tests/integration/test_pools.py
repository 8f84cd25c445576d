"""Pools of raw workers: slots, the queue for them, and what becomes of clients whose worker is lost."""

import pathlib
import subprocess
import sys

from broker import milliseconds
from case import BrokerCase
from wire import CLOSE, TEXT, Wire, close_payload, upgrade

# A process of its own that holds so many workers, so that it can be killed.
WORKERS = """
import sys
from wire import TEXT, Wire
held = [Wire.open(int(sys.argv[1]), sys.argv[2]) for _ in range(int(sys.argv[3]))]
for worker in held:
    worker.send_frame(TEXT, "held")
print("ready", flush=True)
sys.stdin.read()
"""


class PoolCase(BrokerCase):
    def name(self, worker, name):
        """Has a worker say who it is, to the client that it has or is to have."""
        worker.send_frame(TEXT, name)
        return worker

    def worker(self, name, key="k"):
        return self.name(self.open(f"/worker/{key}"), name)

    def who_serves(self, client):
        return client.read_message()[1].decode()

    def spawn_workers(self, count, key="k"):
        process = subprocess.Popen([sys.executable, "-c", WORKERS, str(int(self.broker.port)), f"/worker/{key}", str(count)],
                                   cwd=pathlib.Path(__file__).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process


class CapacityTest(PoolCase):
    options = ("--mode=pool", "--max-waiting=0")

    def test_each_raw_worker_takes_one_client_and_no_more(self):
        for name in "abc":
            self.worker(name)
        clients = [self.open("/client/k") for _ in range(3)]
        self.assertEqual(sorted(map(self.who_serves, clients)), list("abc"))
        response = self.assert_refused(upgrade("/client/k"), 503, "queue_full")
        self.assertEqual(response.headers["retry-after"], "5")
        # Another key's pool has none.
        self.assert_refused(upgrade("/client/other"), 503, "queue_full")
        # With the next worker there is room for one.
        self.worker("d")
        self.assertEqual(self.who_serves(self.open("/client/k")), "d")
        self.assert_refused(upgrade("/client/k"), 503, "queue_full")

    def test_messages_go_both_ways(self):
        worker = self.open("/worker/k")
        self.assert_relays(self.open("/client/k"), worker)

    def test_a_worker_ends_with_its_client(self):
        worker, client = self.open("/worker/k"), self.open("/client/k")
        self.assert_relays(client, worker)
        self.assertEqual(client.close(4567, "enough"), (4567, "enough"))
        self.assertEqual(worker.read_close(), (4567, "enough"))

    def test_a_client_ends_with_its_worker(self):
        worker, client = self.open("/worker/k"), self.open("/client/k")
        self.assert_relays(client, worker)
        worker.cut()
        self.assertEqual(client.read_close()[0], 4200)

    def test_a_slot_is_free_again_when_a_handshake_fails(self):
        self.worker("a")
        for _ in range(20):
            with Wire(self.broker.port) as wire:
                wire.send(upgrade("/client/k"))
                self.assertEqual(wire.read_response().status, 101)
                wire.cut()
            # It was a client already, so its worker ends with it.
            self.await_that(self.is_full, "the worker to end")
            self.worker("a")
        self.assertEqual(self.who_serves(self.open("/client/k")), "a")

    def is_full(self):
        return self.request_status("/client/k") == 503

    def request_status(self, path):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade(path))
            return wire.read_response().status


class KeepTest(PoolCase):
    options = ("--mode=pool", "--raw-reuse=keep")

    def test_a_worker_takes_one_client_after_the_other(self):
        worker = self.open("/worker/k")
        for number in range(50):
            client = self.open("/client/k")
            self.assert_relays(client, worker)
            if number % 2:
                client.close()
            else:
                client.socket.close()

    def test_a_worker_that_is_kept_serves_who_waits(self):
        worker, first = self.open("/worker/k"), self.open("/client/k")
        self.assert_relays(first, worker)
        second, third = self.open("/client/k"), self.open("/client/k")
        first.close()
        self.assert_relays(second, worker)
        second.close()
        self.assert_relays(third, worker)

    def test_a_worker_in_the_middle_of_a_message_is_not_kept(self):
        worker, client = self.open("/worker/k"), self.open("/client/k")
        worker.send_frame(TEXT, "half a mess", fin=False)
        self.assertEqual(client.read_frame().payload, b"half a mess")
        client.close()
        self.assertEqual(worker.read_close()[0], 1000)
        self.assert_relays(self.open("/client/k"), self.open("/worker/k"))


class QueueTest(PoolCase):
    options = ("--mode=pool", "--max-waiting=3", "--priority-by=query:p", f"--wait-timeout={milliseconds(3600)}")

    def test_clients_are_served_by_priority_and_then_as_they_came(self):
        clients = [self.open(f"/client/k{query}") for query in ("", "?p=1", "?p=1")]
        self.assert_refused(upgrade("/client/k?p=9"), 503, "queue_full")
        for index in (1, 2, 0):
            self.worker(str(index))
            self.assertEqual(self.who_serves(clients[index]), str(index))

    def test_one_that_leaves_the_queue_makes_room(self):
        clients = [self.open("/client/k") for _ in range(3)]
        clients[1].close()
        clients.append(self.open("/client/k"))
        for index in (0, 2, 3):
            self.worker(str(index))
            self.assertEqual(self.who_serves(clients[index]), str(index))

    def test_what_a_client_sends_while_it_waits_is_for_its_worker(self):
        client = self.open("/client/k")
        client.send_frame(TEXT, "early")
        self.assertEqual(self.open("/worker/k").read_message(), (TEXT, b"early"))


class WaitTimeoutTest(PoolCase):
    options = ("--mode=pool", f"--wait-timeout={milliseconds(0.3)}")

    def test_a_client_that_waited_long_enough_is_told_to_try_later(self):
        worker = self.open("/worker/other")
        client = self.open("/client/k")
        code, reason = client.read_close()
        self.assertEqual(code, 1013)
        self.assertIn("wait-timeout", reason)
        client.send_frame(CLOSE, close_payload(code))
        # Workers wait for ever.
        self.assert_relays(self.open("/client/other"), worker)


class LossTest(PoolCase):
    options = ("--mode=pool",)

    def test_a_killed_worker_process_ends_its_clients_at_once(self):
        workers = self.spawn_workers(20)
        clients = [self.open("/client/k") for _ in range(20)]
        # Only one that has heard of its worker can lose it.
        self.assertEqual({self.who_serves(client) for client in clients}, {"held"})
        workers.kill()
        with self.within(5):
            for client in clients:
                self.assertEqual(client.read_close()[0], 4200)


class RematchTest(PoolCase):
    options = ("--mode=pool", "--on-peer-loss=rematch")

    def test_clients_of_a_killed_worker_process_go_on_with_others(self):
        workers = self.spawn_workers(20)
        clients = [self.open("/client/k") for _ in range(20)]
        # Only one that has heard of its worker can lose it.
        self.assertEqual({self.who_serves(client) for client in clients}, {"held"})
        spare = [self.worker(f"spare-{n}") for n in range(15)]
        workers.kill()
        late = [self.worker(f"late-{n}") for n in range(5)]
        names = sorted(map(self.who_serves, clients))
        self.assertEqual(names, sorted([f"spare-{n}" for n in range(15)] + [f"late-{n}" for n in range(5)]))
        # Each has one that is its own.
        for number, client in enumerate(clients):
            client.send_frame(TEXT, f"from client {number}")
        heard = {worker.read_message()[1].decode() for worker in spare + late}
        self.assertEqual(heard, {f"from client {number}" for number in range(20)})

    def test_clients_that_lost_a_worker_come_first(self):
        lost = self.worker("lost")
        client = self.open("/client/k")
        self.assertEqual(self.who_serves(client), "lost")
        waiting = self.open("/client/k")
        lost.cut()
        self.await_log("disconnected")
        self.worker("next")
        self.assertEqual(self.who_serves(client), "next")
        self.worker("last")
        self.assertEqual(self.who_serves(waiting), "last")

    def test_again_and_again(self):
        client = self.open("/client/k")
        for number in range(30):
            worker = self.worker(str(number))
            self.assertEqual(self.who_serves(client), str(number))
            worker.cut()
