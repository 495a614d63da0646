// One function for each route, with the middlewares that it needs.
import middy from '@middy/core';
import errorHandler from '@middy/http-error-handler';
import headerNormalizer from '@middy/http-header-normalizer';
import jsonBodyParser from '@middy/http-json-body-parser';
import urlencodeBodyParser from '@middy/http-urlencode-body-parser';
import pets from './pets.js';

const json = (value) => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
const bytes = (type, buffer, more) => ({
  statusCode: 200, headers: { 'content-type': type, ...more }, body: buffer.toString('base64'), isBase64Encoded: true,
});
// withCookies puts cookies where the payload format wants them.
const withCookies = (event, response) => event.version === '2.0'
  ? { ...response, cookies: pets.cookies }
  : { ...response, multiValueHeaders: { 'set-cookie': pets.cookies } };
const route = (handler, ...middlewares) => middy().use([headerNormalizer(), ...middlewares, errorHandler({ logger: false })]).handler(handler);

const routes = {
  '/hello': route(async (event) => json(pets.greeting(event.queryStringParameters.name))),
  '/echo': route(async (event) => json(event.body), jsonBodyParser()),
  '/form': route(async (event) => json(event.body), urlencodeBodyParser()),
  '/upload': route(async (event) => {
    const body = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
    return bytes('application/octet-stream', body, { 'x-sha256': pets.sha256(body) });
  }),
  '/cookies': route(async (event) => withCookies(event, json({ cookie: event.cookies?.join('; ') ?? event.headers.cookie ?? '' }))),
  '/binary': route(async () => bytes('image/png', pets.png)),
  '/error': route(async () => {
    throw Object.assign(new Error(JSON.stringify({ error: 'no such pet' })), { statusCode: 422, expose: true });
  }),
};

export const handler = (event, context) => routes[event.rawPath ?? event.path](event, context);
