'use strict';

exports.echo = async (event) => event;
exports.nothing = async () => {};
exports.aFunction = async () => () => {};
exports.returned = (event) => event;
exports.bigInt = async () => ({ n: 1n });
exports.cycle = async () => {
  const a = {};
  a.a = a;
  return a;
};
exports.large = async (event) => 'x'.repeat(event.length);
exports.count = async (event) => event.text.length;

exports.context = async (event, context) => ({
  ...context,
  remaining: context.getRemainingTimeInMillis() > 50000 && context.getRemainingTimeInMillis() <= 60000,
  getRemainingTimeInMillis: typeof context.getRemainingTimeInMillis,
});
exports.trace = async () => process.env._X_AMZN_TRACE_ID ?? null;

class OddError extends Error {
  constructor(message) {
    super(message);
    this.code = 'E_ODD';
  }
}
OddError.prototype.name = 'OddError';
exports.throws = async (event) => {
  switch (event.what) {
    case 'error': throw new TypeError('boom');
    case 'own': throw new OddError('boom');
    case 'lines': throw new OddError('one\ntwo');
    case 'header': {
      const error = new Error('boom');
      error.name = 'Bad\r\nX-Forged: é';
      error.stack = 'short';
      throw error;
    }
    case 'text': throw 'boom';
    case 'number': throw 7;
    case 'null': throw null;
    case 'undefined': throw undefined;
    case 'object': throw Object.create(null);
    case 'getter': {
      const error = new Error('boom');
      Object.defineProperty(error, 'message', { get() { throw new Error('no'); } });
      throw error;
    }
  }
};
exports.throwsNow = () => { throw new TypeError('boom'); };

exports.callback = (event, context, callback) => {
  if (event.late) {
    setTimeout(() => { module.late = 'ran'; }, event.late);
    module.late = 'did not run';
  }
  if ('waits' in event) context.callbackWaitsForEmptyEventLoop = event.waits;
  if (event.error) callback(new Error(event.error));
  else callback(null, event.late ? { get late() { return module.late; } } : event);
  callback(null, 'twice');
};
exports.silent = (event, context, callback) => {};
exports.legacy = (event, context) => context[event.method](...event.args);
exports.unsettled = async () => new Promise(() => {});
exports.rejects = async () => {
  Promise.reject(event => event);
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.rejectsError = async () => {
  Promise.reject(new OddError('boom'));
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.uncaught = async () => {
  setTimeout(() => { throw new OddError('boom'); }, 1);
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.exits = async () => {
  console.log('last words');
  process.exit(3);
};
exports.notAFunction = 7;
exports.a = { b: { c: async () => 'nested' } };

exports.logs = async () => {
  console.log('plain %s %d', 'text', 7, { a: 1 });
  console.info('one\ntwo');
  console.warn('w');
  console.error('e');
  console.debug('d');
  console.trace('t');
  console.log();
  console.log('ü', '\u{1F600}');
  console.log({ a: 1, b: [2] });
  console.log(new OddError('boom').message);
  process.stdout.write('raw\n');
};
exports.logsErrors = async () => {
  console.log(new OddError('boom'));
  console.warn('with', new OddError('boom'));
  console.log({ n: 1n });
  console.debug('left out');
  throw new OddError('bang');
};
exports.flood = async () => {
  process.stdout.write('');
  for (let i = 0; i < 3000; i++) console.log('x'.repeat(100));
};
