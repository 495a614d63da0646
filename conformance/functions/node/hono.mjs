// A Hono application.
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { setCookie } from 'hono/cookie';
import { HTTPException } from 'hono/http-exception';
import pets from './pets.js';

const app = new Hono();
app.get('/hello', (c) => c.json(pets.greeting(c.req.query('name'))));
app.post('/echo', async (c) => c.json(await c.req.json()));
app.post('/form', async (c) => c.json(await c.req.parseBody()));
app.post('/upload', async (c) => {
  const bytes = Buffer.from(await c.req.arrayBuffer());
  return c.body(bytes, 200, { 'content-type': 'application/octet-stream', 'x-sha256': pets.sha256(bytes) });
});
app.get('/cookies', (c) => {
  setCookie(c, 'a', '1', { httpOnly: true });
  setCookie(c, 'b', '2', { httpOnly: true });
  return c.json({ cookie: c.req.header('cookie') ?? '' });
});
app.get('/binary', (c) => c.body(pets.png, 200, { 'content-type': 'image/png' }));
app.get('/error', () => {
  throw new HTTPException(422, { message: 'no such pet' });
});
app.onError((err, c) => c.json({ error: err.message }, err.status ?? 500));

export const handler = handle(app);
