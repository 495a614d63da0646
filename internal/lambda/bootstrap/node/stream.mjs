// Streamed responses: what the global awslambda offers to functions.

import { Writable } from 'node:stream';
import { describe, headerText } from './errors.mjs';

const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
const highWaterMark = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const httpResponse = 'application/vnd.awslambda.http-integration-response';

// isStreaming reports whether a handler was given to streamifyResponse.
export function isStreaming(handler) {
  return handler[streaming] === 'response';
}

// A ResponseStream sends what is written to it as the body of the response. The head is
// sent with the first bytes, or at the end if there are none.
export class ResponseStream extends Writable {
  #connection;
  #path;
  #contentType = 'application/octet-stream';
  #prelude = null;

  #begun = false;

  // ended says that the response has ended. What is written after that goes nowhere.
  ended = false;

  constructor(connection, path, handler) {
    super({ highWaterMark: handler[highWaterMark] });
    this.#connection = connection;
    this.#path = path;
  }

  setContentType(contentType) {
    if (this.#begun) throw new Error('the content type cannot be set after the first write');
    this.#contentType = headerText(String(contentType));
  }

  // setPrelude makes it an HTTP response: a status, headers and cookies before the body.
  setPrelude(metadata) {
    this.setContentType(httpResponse);
    this.#prelude = Buffer.from(JSON.stringify(metadata ?? {}) + '\0'.repeat(8));
  }

  // write takes what has no bytes as JSON, like the service.
  write(chunk, ...rest) {
    const plain = typeof chunk === 'string' || chunk === null || ArrayBuffer.isView(chunk);
    return super.write(plain ? chunk : JSON.stringify(chunk) ?? 'null', ...rest);
  }

  _write(chunk, _, callback) {
    if (this.ended) {
      callback();
      return;
    }
    this.#begin();
    this.#connection.chunk(chunk, callback);
  }

  _final(callback) {
    if (!this.ended) {
      this.#begin();
      this.ended = true;
      this.#connection.lastChunk();
    }
    callback();
  }

  // abort ends the response. If it is under way, a description of the error follows it,
  // posted is called when the host has answered, and abort returns true. If it has not
  // begun or has ended, it returns false.
  abort(error, posted) {
    const underWay = this.#begun && !this.ended;
    this.ended = true;
    if (!underWay) return false;
    const description = describe(error);
    this.#connection.lastChunk(
      `Lambda-Runtime-Function-Error-Type: ${headerText(description.errorType)}\r\n`
      + `Lambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(description)).toString('base64')}\r\n`,
      posted);
    return true;
  }

  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    this.#connection.postChunked(this.#path,
      `Content-Type: ${this.#contentType}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n`
      + 'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n');
    if (this.#prelude !== null) this.#connection.chunk(this.#prelude, () => {});
  }
}

// awslambda is the global of that name.
export const awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = 'response';
    if (options?.highWaterMark !== undefined) handler[highWaterMark] = parseInt(options.highWaterMark, 10);
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, metadata) {
      stream.setPrelude(metadata);
      return stream;
    }
  },
};
