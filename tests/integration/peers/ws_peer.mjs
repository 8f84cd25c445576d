// A peer on the npm package ws; see __init__.py.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// Debian's package, also for a node that isn't Debian's.
const WebSocket = createRequire(import.meta.url)('/usr/share/nodejs/ws');

const say = (event, id, fields) => process.stdout.write(JSON.stringify({ event, id, ...fields }) + '\n');
const fieldsOf = (data, isBinary) => (isBinary ? { hex: data.toString('hex') } : { text: data.toString() });
const dataOf = ({ text, hex }) => text ?? Buffer.from(hex, 'hex');

const sockets = new Map();

const open = ({ id, url, compress, ca, echo }) => {
  const socket = new WebSocket(url, { perMessageDeflate: compress, ...(ca && { ca: readFileSync(ca) }) });
  sockets.set(id, socket);
  socket.on('open', () => say('open', id, { compressed: socket.extensions.includes('permessage-deflate') }));
  socket.on('message', (data, isBinary) => {
    say('message', id, fieldsOf(data, isBinary));
    if (echo) socket.send(data, { binary: isBinary });
  });
  socket.on('pong', (data) => say('pong', id, { text: data.toString() }));
  socket.on('error', (error) => say('error', id, { message: error.message }));
  socket.on('close', (code, reason) => say('close', id, { code, reason: reason.toString() }));
};

const operations = {
  open,
  send: ({ id, ...fields }) => sockets.get(id).send(dataOf(fields)),
  fragments: ({ id, parts }) =>
    parts.forEach((part, n) =>
      sockets.get(id).send(dataOf(part), { binary: part.text === undefined, fin: n === parts.length - 1 })),
  ping: ({ id, text }) => sockets.get(id).ping(text),
  close: ({ id, code, reason }) => sockets.get(id).close(code, reason),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const operation = JSON.parse(line);
    operations[operation.op](operation);
  })
  .on('close', () => process.exit());
say('ready');
