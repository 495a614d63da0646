// What all rows of the table answer.
'use strict';
const { setTimeout } = require('node:timers/promises');

exports.ok = async () => ({ statusCode: 200, body: 'ok' });
exports.sleep = async () => {
  await setTimeout(100);
  return { statusCode: 200, body: 'ok' };
};
