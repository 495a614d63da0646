// A handler without a framework, as a CommonJS module.
'use strict';
const pets = require('./pets.js');

const json = (value) => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
const bytes = (type, buffer, more) => ({
  statusCode: 200, headers: { 'content-type': type, ...more }, body: buffer.toString('base64'), isBase64Encoded: true,
});

exports.handler = async (event) => {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  switch (event.rawPath ?? event.path) {
    case '/hello':
      return json(pets.greeting(event.queryStringParameters.name));
    case '/echo':
      return json(JSON.parse(body));
    case '/form':
      return json(Object.fromEntries(new URLSearchParams(body.toString())));
    case '/upload':
      return bytes('application/octet-stream', body, { 'x-sha256': pets.sha256(body) });
    case '/cookies': {
      const response = json({ cookie: event.cookies?.join('; ') ?? event.headers.cookie ?? event.headers.Cookie ?? '' });
      return event.version === '2.0'
        ? { ...response, cookies: pets.cookies }
        : { ...response, multiValueHeaders: { 'set-cookie': pets.cookies } };
    }
    case '/binary':
      return bytes('image/png', pets.png);
    default:
      throw new Error('no such pet');
  }
};
