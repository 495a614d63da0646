exports.handler = require("./common.cjs")("cjs");
exports.callback = (event, context, done) => done(null, { statusCode: 200, body: `callback ${context.functionName}` });
