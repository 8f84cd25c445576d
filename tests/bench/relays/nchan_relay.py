#!/usr/bin/python3
"""nchan_relay.py FOLDER: nginx with Nchan as a relay, both from FOLDER, into which their packages are unpacked.

/client/{id} and /worker/{id} are a pair: each publishes to the channel that the other one is subscribed to. One process,
in which nobody is root outside. Its files are in the working directory.
"""

import os
import socket
import sys
import time

CONFIG = """
load_module {folder}/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
master_process off;
user root root;
pid nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}
http {{
  access_log off;
  client_body_temp_path {here}/body;
  proxy_temp_path {here}/proxy;
  fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi;
  scgi_temp_path {here}/scgi;
  nchan_shared_memory_size 2G;
  nchan_message_buffer_length 0;
  nchan_message_timeout 1s;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    tcp_nodelay on;
    nchan_subscriber_first_message newest;
    location ~ ^/client/(.+)$ {{
      nchan_pubsub websocket;
      nchan_publisher_channel_id $1-to-worker;
      nchan_subscriber_channel_id $1-to-client;
    }}
    location ~ ^/worker/(.+)$ {{
      nchan_pubsub websocket;
      nchan_publisher_channel_id $1-to-client;
      nchan_subscriber_channel_id $1-to-worker;
    }}
  }}
}}
"""

# nginx with Nchan makes /var/lib/nginx/body, whatever it is told of other folders.
START = 'mount -t tmpfs none /var/lib && mkdir /var/lib/nginx && exec "$@"'


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def announce(port):
    """In a process of its own: says so once nginx listens, and gives up after a while."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                print(f"listening 127.0.0.1:{port}", flush=True)
                return
        time.sleep(0.05)


def main():
    folder, here, port = sys.argv[1], os.getcwd(), free_port()
    with open("nginx.conf", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(folder=folder, here=here, port=port))
    if os.fork() == 0:
        announce(port)
        os._exit(0)
    # The same process becomes nginx, so that whoever started it can measure and end it.
    os.execvp("unshare", ["unshare", "--map-root-user", "--mount", "sh", "-c", START, "sh",
                          f"{folder}/usr/sbin/nginx", "-p", here, "-c", f"{here}/nginx.conf", "-e", "stderr"])


if __name__ == "__main__":
    main()
