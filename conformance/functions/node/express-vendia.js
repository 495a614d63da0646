// The Express application by way of @vendia/serverless-express.
'use strict';
const serverlessExpress = require('@vendia/serverless-express');

exports.handler = serverlessExpress({
  app: require('./app.js'),
  binarySettings: { contentTypes: ['image/*', 'application/octet-stream'] },
});
