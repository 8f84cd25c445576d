// A peer on the npm package ws, driven by lines of JSON: node ws_peer.mjs URL COMPRESSION
//
// COMPRESSION is the value of its option perMessageDeflate, as JSON.
//
// Reads {"op":"send","text"|"base64":…,"fin":…}, {"op":"ping","text":…}, {"op":"close","code":…,"reason":…} and writes
// {"event":"open"}, {"event":"message","text"|"base64":…}, {"event":"pong","text":…}, {"event":"close","code":…,"reason":…}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// Debian's package, also for a node that isn't Debian's.
const WebSocket = createRequire(import.meta.url)('/usr/share/nodejs/ws');

const socket = new WebSocket(process.argv[2], { perMessageDeflate: JSON.parse(process.argv[3]) });
const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

const operations = {
  send: ({ text, base64, fin = true }) =>
    socket.send(text ?? Buffer.from(base64, 'base64'), { binary: text === undefined, fin }),
  ping: ({ text }) => socket.ping(text),
  close: ({ code, reason }) => (code ? socket.close(code, reason) : socket.close()),
};

socket.on('open', () => {
  say({ event: 'open' });
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const operation = JSON.parse(line);
      operations[operation.op](operation);
    })
    .on('close', () => socket.terminate());
});
socket.on('message', (data, isBinary) =>
  say({ event: 'message', ...(isBinary ? { base64: data.toString('base64') } : { text: data.toString() }) }));
socket.on('pong', (data) => say({ event: 'pong', text: data.toString() }));
socket.on('error', (error) => say({ event: 'error', message: error.message }));
socket.on('close', (code, reason) => {
  say({ event: 'close', code, reason: reason.toString() });
  process.stdin.destroy();
});
