// The connection to the Runtime API: one socket, HTTP/1.1, requests one behind the other.
//
// The answer to an invocation and the request for the next one leave in one write. The
// answers of the host come in the order of the requests. What they may look like is
// narrow, a status line, headers and a body whose length is said; anything else ends the
// process, because nothing can be known about what follows.

import net from 'node:net';

const maxHead = 64 * 1024;
const maxBody = 32 * 1024 * 1024;
const end = '\r\n\r\n';

// A Connection sends requests and calls back with the answers, in order.
export class Connection {
  #authority;
  #host;
  #port;
  #socket = null;
  #waiting = []; // callbacks of requests that were sent, oldest first; null for don't care
  #next = null; // the callback of a request for an invocation that was sent; it is the last
  #answered = false; // whether this socket has brought an answer
  #rest = null; // bytes of a head that is not complete
  #body = null; // the body that is being read, and how much of it there is
  #filled = 0;
  #headers = null; // those of #body

  constructor(authority) {
    const colon = authority.lastIndexOf(':');
    this.#authority = authority;
    this.#host = authority.slice(0, colon);
    this.#port = Number(authority.slice(colon + 1));
    this.#dial();
  }

  // hold and release say whether the connection alone keeps the process alive. It does
  // while an answer is waited for, and does not while a function runs: the event loop
  // that is then empty tells that nothing will happen any more.
  hold() { this.#socket.ref(); }
  release() { this.#socket.unref(); }

  // next asks for an invocation.
  next(callback) {
    this.#waiting.push(callback);
    this.#next = callback;
    this.#socket.write(this.#nextRequest);
    this.hold();
  }

  // post sends JSON and then, if there is a callback for it, asks for an invocation.
  // Without one, posted is called when the host has answered.
  post(path, body, headers, next, posted = null) {
    this.#waiting.push(posted);
    let text = `POST ${path} HTTP/1.1\r\nHost: ${this.#authority}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}${end}${body}`;
    if (next !== null) {
      this.#waiting.push(next);
      this.#next = next;
      text += this.#nextRequest;
    }
    this.#socket.write(text);
    this.hold();
  }

  // postChunked begins a request whose body is sent by chunk, and ended by lastChunk.
  postChunked(path, headers) {
    this.#waiting.push(null);
    this.#socket.write(`POST ${path} HTTP/1.1\r\nHost: ${this.#authority}\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`);
  }

  // chunk sends a part of the body. An empty part sends nothing, as it would be the last.
  chunk(bytes, callback) {
    if (bytes.length === 0) {
      process.nextTick(callback);
      return;
    }
    const socket = this.#socket;
    socket.cork();
    socket.write(bytes.length.toString(16) + '\r\n');
    socket.write(bytes);
    socket.write('\r\n', callback);
    socket.uncork();
  }

  // lastChunk ends the body, with trailers: lines that each end with CRLF. If posted is
  // given, it is called when the host has answered.
  lastChunk(trailers = '', posted = null) {
    this.#socket.write(`0\r\n${trailers}\r\n`);
    if (posted === null) return;
    this.hold();
    if (this.#waiting.length === 0) setImmediate(posted); // it has answered before the end
    else this.#waiting[this.#waiting.length - 1] = posted;
  }

  get #nextRequest() {
    return `GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: ${this.#authority}${end}`;
  }

  #dial() {
    this.#answered = false;
    this.#rest = null;
    const socket = net.connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(64 * 1024),
        callback: (n, buffer) => {
          if (socket === this.#socket) this.#read(buffer.subarray(0, n));
          return true;
        },
      },
    });
    socket.on('error', () => {}); // close follows
    socket.on('close', () => {
      if (socket === this.#socket) this.#lost();
    });
    this.#socket = socket;
  }

  // #lost deals with the end of the connection. A host may close it after an answer that
  // it did not want to read to its end; the next invocation is then asked for on a new
  // connection. If the host is gone as well, there is nothing left to do.
  #lost() {
    if (!this.#answered || this.#next === null || this.#body !== null) process.exit(1);
    this.#waiting = [];
    this.#dial();
    this.next(this.#next);
  }

  #read(bytes) {
    if (this.#body !== null) bytes = this.#fill(bytes);
    else if (this.#rest !== null) {
      bytes = Buffer.concat([this.#rest, bytes]);
      this.#rest = null;
    }
    while (bytes.length > 0) {
      const i = bytes.indexOf(end, 0, 'latin1');
      if (i < 0) {
        if (bytes.length > maxHead) malformed('its head is too long');
        this.#rest = Buffer.from(bytes);
        return;
      }
      const headers = parseHead(bytes.latin1Slice(0, i));
      const length = bodyLength(headers);
      const start = i + end.length;
      if (bytes.length - start >= length) {
        const body = bytes.utf8Slice(start, start + length);
        bytes = bytes.subarray(start + length);
        this.#answer(headers, body);
        continue;
      }
      this.#headers = headers;
      this.#body = Buffer.allocUnsafe(length);
      this.#filled = 0;
      bytes = this.#fill(bytes.subarray(start));
    }
  }

  // #fill adds to the body and returns what is left over.
  #fill(bytes) {
    const n = Math.min(bytes.length, this.#body.length - this.#filled);
    bytes.copy(this.#body, this.#filled, 0, n);
    this.#filled += n;
    if (this.#filled < this.#body.length) return bytes.subarray(n);
    const body = this.#body.utf8Slice(0, this.#body.length);
    this.#body = null;
    this.#answer(this.#headers, body);
    return bytes.subarray(n);
  }

  #answer(headers, body) {
    if (this.#waiting.length === 0) malformed('nothing was asked');
    this.#answered = true;
    const callback = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#next = null;
    callback?.(headers, body);
  }
}

// parseHead returns the headers by their names in lower case, and the status as status.
function parseHead(text) {
  const lines = text.split('\r\n');
  if (!/^HTTP\/1\.1 [1-5]\d\d( |$)/.test(lines[0])) malformed('its status line is none');
  const headers = Object.create(null);
  headers.status = lines[0].slice(9, 12);
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':');
    if (colon < 1) malformed('a header has no name');
    const name = lines[i].slice(0, colon).toLowerCase();
    if (name === 'status') continue;
    if (name === 'content-length' && headers[name] !== undefined) malformed('it has two lengths');
    headers[name] = lines[i].slice(colon + 1).trim();
  }
  return headers;
}

function bodyLength(headers) {
  if (headers['transfer-encoding'] !== undefined) malformed('its length is not said');
  const text = headers['content-length'];
  if (text === undefined && headers.status === '204') return 0;
  if (text === undefined || !/^\d{1,9}$/.test(text)) malformed('its length is not said');
  const length = Number(text);
  if (length > maxBody) malformed('its body is too long');
  return length;
}

function malformed(reason) {
  process.stderr.write(`The answer of the Runtime API is not understood: ${reason}.\n`);
  process.exit(1);
}
