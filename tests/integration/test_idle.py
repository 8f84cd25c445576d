"""A broker with nothing to do sleeps."""

import time
import unittest

from broker import SCALE
from case import BrokerCase

SECONDS = 3


@unittest.skipIf(SCALE > 1, "a sanitizer's runtime wakes up by itself")
class IdleTest(BrokerCase):
    options = ("--scheduler.max-threads=4",)

    def assert_sleeps(self):
        # Here the time that passes is what is measured.
        switches, cpu = self.broker.voluntary_switches(), self.broker.cpu()
        time.sleep(SECONDS)
        self.assertLess((self.broker.voluntary_switches() - switches) / SECONDS, 5)
        self.assertLess((self.broker.cpu() - cpu) / SECONDS, 0.02)

    def test_without_connections(self):
        self.assert_sleeps()

    def test_with_connections_that_are_silent(self):
        for number in range(20):
            self.pair(str(number))
        self.assert_sleeps()


if __name__ == "__main__":
    unittest.main()
