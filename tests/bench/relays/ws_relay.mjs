// ws_relay.mjs [PORT]: a relay as it is usually written with npm's ws. PORT 0, or none: any free port.
//
// /client/{id} and /worker/{id} are a pair; what one sends is sent to the other.

import { createRequire } from 'node:module';

// Debian's package node-ws, or whatever NODE_PATH and node_modules offer.
function load(name) {
  const require = createRequire(import.meta.url);
  try {
    return require(name);
  } catch {
    return require(`/usr/share/nodejs/${name}`);
  }
}

const { WebSocketServer } = load('ws');
const pairs = new Map();
const opposite = { client: 'worker', worker: 'client' };

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  perMessageDeflate: false,
  maxPayload: 2 ** 30,
  backlog: 4096,
});

server.on('connection', (socket, request) => {
  const [, role, id] = request.url.split('/');
  if (!opposite[role] || !id) {
    socket.close(1008, 'no such path');
    return;
  }
  if (!pairs.has(id)) {
    pairs.set(id, {});
  }
  const pair = pairs.get(id);
  pair[role] = socket;
  socket.on('message', (data, isBinary) => {
    pair[opposite[role]]?.send(data, { binary: isBinary });
  });
  socket.on('close', () => {
    pair[opposite[role]]?.close(1000);
    pairs.delete(id);
  });
  socket.on('error', () => socket.terminate());
});

server.on('listening', () => {
  console.log(`listening 127.0.0.1:${server.address().port}`);
});
