// What all of these functions answer with, however they are written.
'use strict';
const { createHash } = require('node:crypto');

// The shortest PNG of one pixel.
exports.png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=', 'base64');
exports.sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
exports.greeting = (name) => ({ message: `Hello, ${name}` });
exports.cookies = ['a=1; Path=/; HttpOnly', 'b=2; Path=/; HttpOnly'];
