// Opens one WebSocket with the package ws: one JSON object per line, in and out.
//
//	{"do": "open", "url", "protocols", "headers", "deflate",  -> {"out": {"status", "protocol", "extensions", "body"}}
//	 "authority"}                                                authority: a file, for wss
//	{"do": "send", "text", "frames"}                          -> {"out": {}}, a text message in so many frames
//	{"do": "send", "text", "binary": true}                    -> {"out": {}}
//	{"do": "ping", "text"}                                    -> {"out": {"text"}} of the pong
//	{"do": "next"}                                            -> {"out": {"text"}} or {"out": {"code", "reason"}} of the end
//	{"do": "close", "code", "reason"}                         -> {"out": {}}; "next" tells how it ended
//	{"do": "kill"}                                            -> {"out": {}}, the TCP connection without a close frame
import fs from "node:fs";
import readline from "node:readline";
import WebSocket from "ws";

// Names under localhost are loopback, but not every resolver knows that.
const lookup = (name, { all }, done) =>
  all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

let socket;
const came = []; // what "next" has not told yet
let wanted; // who waits for it

function tell(one) {
  if (!wanted) return came.push(one);
  wanted(one);
  wanted = undefined;
}

function open({ url, protocols, headers, deflate, authority }) {
  socket = new WebSocket(url, protocols ?? [], {
    headers: headers ?? {},
    lookup,
    ...(authority && { ca: fs.readFileSync(authority) }),
    perMessageDeflate: deflate ? { threshold: 0 } : false,
    handshakeTimeout: 20_000,
  });
  return new Promise((resolve, reject) => {
    let upgrade;
    socket.on("upgrade", (response) => (upgrade = response));
    socket.on("open", () => resolve({ status: upgrade.statusCode, protocol: socket.protocol, extensions: socket.extensions, body: "" }));
    socket.on("unexpected-response", async (_, response) => {
      let body = "";
      for await (const chunk of response.setEncoding("utf8")) body += chunk;
      resolve({ status: response.statusCode, protocol: "", extensions: "", body });
    });
    socket.on("error", reject);
    socket.on("message", (data, binary) => tell(binary ? { binary: data.toString("base64") } : { text: data.toString() }));
    socket.on("close", (code, reason) => tell({ code, reason: reason.toString() }));
  });
}

const sent = (data, options) => new Promise((resolve, reject) => socket.send(data, options, (e) => (e ? reject(e) : resolve())));

async function send({ text, frames = 1, binary = false }) {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / frames); // of a frame: characters may be cut
  for (let i = 0; i < frames; i++) {
    await sent(bytes.subarray(i * size, (i + 1) * size), { binary, fin: i === frames - 1 });
  }
  return {};
}

const actions = {
  open,
  send,
  ping: ({ text }) =>
    new Promise((resolve) => {
      socket.once("pong", (data) => resolve({ text: data.toString() }));
      socket.ping(text);
    }),
  next: () => (came.length ? came.shift() : new Promise((resolve) => (wanted = resolve))),
  close: ({ code, reason }) => (socket.close(code, reason), {}),
  kill: () => (socket._socket.resetAndDestroy(), {}),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: action, ...more } = JSON.parse(line);
  let answer;
  try {
    answer = { out: await actions[action](more) };
  } catch (e) {
    answer = { error: { class: e.constructor.name, code: e.code ?? "", message: e.message } };
  }
  console.log(JSON.stringify(answer));
}
process.exit();
