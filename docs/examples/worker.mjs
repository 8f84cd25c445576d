#!/usr/bin/env node
// A worker that serves many clients over one connection: worker.mjs [URL]
//
// It speaks tandem.v1 and answers every message with the same text in capitals; put your own work into serve(). On SIGTERM
// it takes no new clients, and ends when the last one has gone. Needs npm's ws, or Debian's node-ws.
import { createRequire } from "node:module";

const WebSocket = createRequire(import.meta.url)("ws");

const url = new URL(process.argv[2] ?? "ws://localhost:8080/worker/demo");
// What the broker may send on each channel before we have worked on it, in bytes. A message counts its payload and 40.
const WINDOW = 65536;
const OVERHEAD = 40;
url.searchParams.set("capacity", "64");
url.searchParams.set("credit", WINDOW);

const [OPEN, TEXT, BINARY, CLOSE, CREDIT, CAPACITY, DRAIN, EVENT] = [1, 2, 3, 4, 5, 6, 7, 8];

// What is done for one client's message.
async function serve(channel, data) {
  await channel.send(typeof data === "string" ? data.toUpperCase() : data);
}

function frame(type, channel, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(8);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(channel, 4);
  return Buffer.concat([head, payload]);
}

function number(bytes, value) {
  const result = Buffer.alloc(bytes);
  result.writeUIntBE(value, 0, bytes);
  return result;
}

// One client.
class Channel {
  constructor(socket, id, about) {
    Object.assign(this, { socket, id, about, credit: about.credit, waiting: [], done: 0, last: Promise.resolve() });
  }

  // Messages are worked on one after the other.
  take(data, size) {
    this.last = this.last.then(() => serve(this, data)).then(() => {
      // It is worked on: the broker may send as much again.
      this.done += size + OVERHEAD;
      if (this.done < WINDOW / 4) return;
      this.socket.send(frame(CREDIT, this.id, number(4, this.done)));
      this.done = 0;
    });
  }

  // Waits while the client is too slow: others go on meanwhile.
  async send(data) {
    while (this.credit <= 0) await new Promise((resolve) => this.waiting.push(resolve));
    const payload = Buffer.from(data);
    this.credit -= payload.length + OVERHEAD;
    this.socket.send(frame(typeof data === "string" ? TEXT : BINARY, this.id, payload));
  }

  close(code = 1000, reason = "") {
    this.socket.send(frame(CLOSE, this.id, Buffer.concat([number(2, code), Buffer.from(reason)])));
  }

  addCredit(bytes) {
    this.credit += bytes;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

// Gives one message of the broker's to whom it is for.
function take(socket, channels, message) {
  const type = message.readUInt8(0);
  const id = message.readUInt32BE(4);
  const payload = message.subarray(8);
  const channel = channels.get(id);
  if (type === EVENT) console.log("event", payload.toString());
  else if (type === OPEN) channels.set(id, new Channel(socket, id, JSON.parse(payload)));
  else if (!channel) return; // The client has gone already.
  else if (type === TEXT) channel.take(payload.toString(), payload.length);
  else if (type === BINARY) channel.take(payload, payload.length);
  else if (type === CREDIT) channel.addCredit(payload.readUInt32BE(0));
  else if (type === CLOSE) channels.delete(id);
}

let delay = 0;
let current;

function connect() {
  const socket = (current = new WebSocket(url, ["tandem.v1"]));
  const channels = new Map();
  let refused = 0;
  socket.on("open", () => console.log("connected"));
  socket.on("message", (message) => take(socket, channels, message));
  socket.on("unexpected-response", (_, response) => {
    refused = response.statusCode;
    console.log("refused", refused);
    socket.terminate();
  });
  socket.on("error", (error) => console.log("not connected:", error.message));
  socket.on("close", (code, reason) => {
    console.log("closed", code, reason.toString());
    comeAgain(code, refused);
  });
}

// By the class of the close code, or the status of a refusal.
function comeAgain(code, refused) {
  if (code === 1000) process.exit(0);
  const final = refused ? ![408, 429, 500, 503].includes(refused) : [1002, 1003, 1007, 1008].includes(code);
  if (final || (code >= 4000 && code < 4100)) process.exit(1);
  // 4200 to 4299: at once. Anything else: later, and later each time.
  delay = code >= 4200 && code < 4300 ? 0 : Math.min(30, delay * 2 + 0.5);
  setTimeout(connect, delay * 1000);
}

process.on("SIGTERM", () => {
  if (current.readyState !== WebSocket.OPEN) process.exit(0);
  current.send(frame(DRAIN, 0));
});
connect();
