// An Express application that knows nothing of Lambda.
'use strict';
const express = require('express');
const pets = require('./pets.js');

const app = express();
app.disable('x-powered-by');
app.set('etag', false);

app.get('/hello', (req, res) => res.json(pets.greeting(req.query.name)));
app.post('/echo', express.json(), (req, res) => res.json(req.body));
app.post('/form', express.urlencoded(), (req, res) => res.json(req.body));
app.post('/upload', express.raw({ limit: '6mb' }), (req, res) => {
  res.set('x-sha256', pets.sha256(req.body)).type('application/octet-stream').send(req.body);
});
app.get('/cookies', (req, res) => {
  res.cookie('a', '1', { httpOnly: true }).cookie('b', '2', { httpOnly: true }).json({ cookie: req.get('cookie') ?? '' });
});
app.get('/binary', (req, res) => res.type('image/png').send(pets.png));
app.get('/error', () => {
  throw Object.assign(new Error('no such pet'), { status: 422 });
});
app.use((err, req, res, next) => res.status(err.status ?? 500).json({ error: err.message }));

module.exports = app;
