'use strict';
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { streamifyResponse, HttpResponseStream } = awslambda;

const pause = () => new Promise((resolve) => setImmediate(resolve));

exports.handler = streamifyResponse(async (event, stream, context) => {
  switch (event.do) {
    case 'write':
      stream.setContentType('text/plain');
      stream.write('one ');
      await pause();
      stream.write(Buffer.from('two '));
      stream.write({ three: 3 });
      stream.end();
      return;
    case 'http':
      stream = HttpResponseStream.from(stream, { statusCode: 201, headers: { 'X-A': 'ü' }, cookies: ['a=b'] });
      stream.write('body');
      stream.end();
      return;
    case 'empty':
      HttpResponseStream.from(stream, { statusCode: 204 }).end();
      return;
    case 'pipeline':
      await pipeline(Readable.from(['a', 'b', 'c'.repeat(event.length)]), stream);
      return;
    case 'unawaited':
      Readable.from(['a', 'b']).pipe(stream);
      return;
    case 'id':
      stream.end(context.awsRequestId);
      return;
    case 'early':
      throw new TypeError('boom');
    case 'middle':
      stream.write('part');
      setTimeout(() => { stream.write('more'); stream.end(); }, 5);
      throw new TypeError('boom');
    case 'destroy':
      stream.write('part');
      await pause();
      stream.destroy(new TypeError('boom'));
      return;
    case 'close':
      stream.destroy();
      return;
    case 'after':
      stream.end('all');
      await pause();
      throw new TypeError('boom');
    case 'open':
      stream.write('part');
      return;
    case 'uncaught':
      stream.write('part');
      setTimeout(() => { throw new TypeError('boom'); }, 1);
      await new Promise((resolve) => setTimeout(resolve, 10000));
      return;
    case 'late type':
      stream.write('x');
      await pause();
      stream.setContentType('text/plain');
  }
});
