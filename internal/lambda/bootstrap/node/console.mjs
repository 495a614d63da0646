// The console of a function: each call is one line on the standard output, with the
// time, the request and the level, or one JSON object.

import fs from 'node:fs';
import util from 'node:util';

const levels = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, FATAL: 5 };

// invocation is what lines are marked with.
export const invocation = { requestId: undefined };

// install replaces the methods of the console. Levels below the one asked for are left
// out, which is possible only in JSON, as with the service.
export function install(format, level) {
  const json = format === 'JSON';
  const lowest = (json && levels[level]) || 0;
  const line = json ? jsonLine : textLine;
  for (const [method, name] of [
    ['trace', 'TRACE'], ['debug', 'DEBUG'], ['log', 'INFO'],
    ['info', 'INFO'], ['warn', 'WARN'], ['error', 'ERROR'],
  ]) {
    console[method] = levels[name] < lowest ? () => {} : (...args) => write(line(name, args));
  }
}

// textLine keeps a message of several lines one line: its line ends become CRs.
function textLine(level, args) {
  const text = util.format(...args).replaceAll('\n', '\r');
  return `${new Date().toISOString()}\t${invocation.requestId}\t${level}\t${text}\n`;
}

function jsonLine(level, args) {
  const entry = { timestamp: new Date().toISOString(), level, requestId: invocation.requestId };
  if (args.length === 1) {
    entry.message = args[0];
    try {
      return JSON.stringify(entry, (_, value) => (value instanceof Error ? errorEntry(value) : value)) + '\n';
    } catch {
      // It has cycles or BigInts: it stands there as text.
    }
  }
  entry.message = util.format(...args);
  const error = args.find((arg) => arg instanceof Error);
  if (error !== undefined) Object.assign(entry, errorEntry(error));
  return JSON.stringify(entry) + '\n';
}

function errorEntry(error) {
  return {
    errorType: String(error.constructor?.name ?? 'UnknownError'),
    errorMessage: String(error.message),
    stackTrace: String(error.stack ?? '').split('\n'),
  };
}

const pause = new Int32Array(new SharedArrayBuffer(4));

// write waits until everything is written, so that nothing is lost if the process ends.
// The pipe may have been made non-blocking by process.stdout, and is then tried again
// while it is full. It is dropped if nobody reads it.
function write(line) {
  const bytes = Buffer.from(line);
  let sent = 0;
  while (sent < bytes.length) {
    try {
      sent += fs.writeSync(1, bytes, sent);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
