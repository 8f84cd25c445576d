#!/usr/bin/python3
"""tornado_relay.py [PORT]: a relay as it is usually written with Tornado. PORT 0, or none: any free port.

/client/{id} and /worker/{id} are a pair; what one sends is written to the other.
"""

import sys

import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web
import tornado.websocket

pairs = {}


class Side(tornado.websocket.WebSocketHandler):
    def initialize(self, role):
        self.role = role

    def check_origin(self, origin):
        return True

    def get_compression_options(self):
        return None

    def open(self, key):
        self.set_nodelay(True)
        self.key = key
        pairs.setdefault(key, {})[self.role] = self

    @property
    def peer(self):
        return pairs.get(self.key, {}).get("worker" if self.role == "client" else "client")

    def on_message(self, message):
        if self.peer is not None:
            self.peer.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        peer = self.peer
        if pairs.get(self.key, {}).get(self.role) is self:
            del pairs[self.key][self.role]
        if peer is not None:
            peer.close(1000)
        elif not pairs.get(self.key):
            pairs.pop(self.key, None)


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    application = tornado.web.Application(
        [
            (r"/client/(.+)", Side, {"role": "client"}),
            (r"/worker/(.+)", Side, {"role": "worker"}),
        ],
        websocket_max_message_size=2**30,
    )
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1", backlog=4096)
    # A message of 1 GB shall fit; Tornado's own limit is 100 MB.
    tornado.httpserver.HTTPServer(application, max_buffer_size=2**31).add_sockets(sockets)
    print(f"listening 127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    tornado.ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main()
