// The runtime for functions in Node.js: it loads the handler and runs it for one
// invocation after another.

import util from 'node:util';
import { Connection } from './connection.mjs';
import { install, invocation } from './console.mjs';
import { describe, headerText, record, RuntimeError } from './errors.mjs';
import { load } from './handler.mjs';
import { awslambda, isStreaming, ResponseStream } from './stream.mjs';

const api = '/2018-06-01/runtime/';
const env = process.env;

const connection = new Connection(env.AWS_LAMBDA_RUNTIME_API);
// From Node.js 24 on, handlers have no callback and what they return counts.
const callbacks = !(Number(/^AWS_Lambda_nodejs(\d+)\.x/.exec(env.AWS_EXECUTION_ENV)?.[1]) >= 24);

const functionName = env.AWS_LAMBDA_FUNCTION_NAME;
const functionVersion = env.AWS_LAMBDA_FUNCTION_VERSION;
const memoryLimitInMB = env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE;
const logGroupName = env.AWS_LAMBDA_LOG_GROUP_NAME;
const logStreamName = env.AWS_LAMBDA_LOG_STREAM_NAME;

let handler; // the function, once it is loaded
let current = null; // the Invocation under way
let ending = false; // whether the process is about to exit

// An Invocation is answered once; whatever comes later has no effect.
class Invocation {
  #id;
  #answered = false;
  #stream = null;
  // whenEmpty is called when the event loop is empty.
  whenEmpty = null;
  waitsForEmptyEventLoop = true;

  constructor(id) {
    this.#id = id;
  }

  get answered() { return this.#answered; }
  get stream() {
    this.#stream ??= new ResponseStream(connection, this.#path('response'), handler);
    return this.#stream;
  }

  succeed(value) {
    if (this.#answered) return;
    let body;
    try {
      body = JSON.stringify(value) ?? 'null';
    } catch (error) {
      this.fail(new Error(`Unable to stringify response body: ${describe(error).errorMessage}`));
      return;
    }
    this.#end();
    connection.post(this.#path('response'), body, '', invoke);
  }

  fail(error) {
    if (this.#answered) return;
    logError('Invoke Error', error);
    this.report(error, null);
  }

  // report answers with an error. Then it waits for the next invocation, or calls posted.
  // A response that has ended stays what it is.
  report(error, posted) {
    this.#end();
    const streamed = this.#stream?.ended;
    if (this.#stream?.abort(error, posted)) {
      if (posted === null) connection.next(invoke);
    } else if (!streamed) {
      postError(this.#path('error'), describe(error), posted === null ? invoke : null, posted);
    } else if (posted === null) {
      connection.next(invoke);
    } else {
      posted();
    }
  }

  // finish is the end of an invocation whose response was streamed.
  finish() {
    if (this.#answered) return;
    this.#end();
    connection.next(invoke);
  }

  #end() {
    this.#answered = true;
    this.whenEmpty = null;
    current = null;
  }

  #path(what) { return `${api}invocation/${this.#id}/${what}`; }
}

// logError writes the line of an error that ends an invocation or the process.
function logError(label, error) {
  if (env.AWS_LAMBDA_LOG_FORMAT !== 'JSON') {
    console.error('%s', `${label}\t${record(error)}`);
    return;
  }
  const { errorType, errorMessage, trace } = describe(error);
  console.error({ errorType, errorMessage, stackTrace: trace });
}

function postError(path, description, next, posted) {
  const type = `Lambda-Runtime-Function-Error-Type: ${headerText(description.errorType)}\r\n`;
  connection.post(path, JSON.stringify(description), type, next, posted);
}

// invoke runs the handler for what the host has sent.
function invoke(headers, payload) {
  if (ending) return;
  if (headers.status !== '200') {
    process.stderr.write(`There is no next invocation: the Runtime API answered ${headers.status}.\n`);
    process.exit(1);
  }
  const id = headers['lambda-runtime-aws-request-id'];
  const trace = headers['lambda-runtime-trace-id'];
  if (trace) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  invocation.requestId = id;
  current = new Invocation(id);
  connection.release();
  try {
    const event = JSON.parse(payload);
    const context = newContext(current, headers);
    if (isStreaming(handler)) runStreaming(current, event, context);
    else if (callbacks) run(current, event, context);
    else runWithoutCallback(current, event, context);
  } catch (error) {
    current?.fail(error);
  }
}

function run(inv, event, context) {
  inv.whenEmpty = () => (util.types.isAsyncFunction(handler) ? inv.fail(notSettled()) : inv.succeed(null));
  let called = false;
  const result = handler(event, context, (error, value) => {
    if (called) return;
    called = true;
    if (error !== undefined && error !== null) inv.fail(error);
    else if (inv.waitsForEmptyEventLoop) inv.whenEmpty = () => inv.succeed(value);
    else inv.succeed(value);
  });
  if (isPromise(result)) result.then((value) => inv.succeed(value), (error) => inv.fail(error));
}

function runWithoutCallback(inv, event, context) {
  inv.whenEmpty = () => inv.fail(notSettled());
  const result = handler(event, context);
  if (isPromise(result)) result.then((value) => inv.succeed(value), (error) => inv.fail(error));
  else inv.succeed(result);
}

// runStreaming ends the invocation when the stream has ended and the handler as well. An
// error that comes after the end of the stream can only be logged.
function runStreaming(inv, event, context) {
  const { stream } = inv;
  let returned = false;
  const finish = () => {
    if (returned && stream.ended) inv.finish();
  };
  const fail = (error) => inv.fail(error);
  inv.whenEmpty = () => fail(notSettled());
  stream.on('finish', finish);
  stream.on('error', fail);
  stream.on('close', () => {
    if (!stream.ended) fail(new Error('the response stream was closed before its end'));
  });
  Promise.resolve(handler(event, stream, context)).then(() => {
    returned = true;
    finish();
  }, fail);
}

function isPromise(value) {
  return typeof value?.then === 'function';
}

function notSettled() {
  return new RuntimeError('NodeJsExit', 'The event loop is empty, and the handler has not answered: a promise was never settled.');
}

function newContext(inv, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = {
    functionName,
    functionVersion,
    memoryLimitInMB,
    logGroupName,
    logStreamName,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    clientContext: parseHeader(headers['lambda-runtime-client-context']),
    identity: parseHeader(headers['lambda-runtime-cognito-identity']),
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  if (!callbacks) return context;
  context.done = (error, value) => (error !== undefined && error !== null ? inv.fail(error) : inv.succeed(value));
  context.succeed = (value) => inv.succeed(value);
  context.fail = (error) => inv.fail(error ?? 'handled');
  Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
    enumerable: true,
    get: () => inv.waitsForEmptyEventLoop,
    set: (value) => { inv.waitsForEmptyEventLoop = Boolean(value); },
  });
  return context;
}

// parseHeader reads JSON in a header, where the bytes of UTF-8 stand for themselves.
function parseHeader(text) {
  return text ? JSON.parse(Buffer.from(text, 'latin1').toString()) : undefined;
}

// end reports an error that nobody has caught, and exits: to the caller if there is one.
function end(error, description, label, status) {
  if (ending) return;
  ending = true;
  logError(label, error);
  const exit = () => process.exit(status);
  setTimeout(exit, 1000); // in case that the host does not answer
  if (current !== null) current.report(error, exit);
  else if (handler === undefined) postError(`${api}init/error`, description, null, exit);
  else exit();
}

process.on('uncaughtException', (error) => end(error, describe(error), 'Uncaught Exception', 129));
process.on('unhandledRejection', (reason) => {
  const error = new RuntimeError('UnhandledPromiseRejection', describeReason(reason));
  error.stack = describe(reason).trace.length > 0
    ? `${error.name}: ${describe(reason).trace.join('\n')}` : `${error.name}: ${error.message}`;
  end(error, describe(error), 'Unhandled Promise Rejection', 128);
});
process.on('beforeExit', () => {
  const whenEmpty = current?.whenEmpty;
  if (!whenEmpty) return;
  current.whenEmpty = null;
  whenEmpty();
});

function describeReason(reason) {
  const { errorType, errorMessage } = describe(reason);
  return reason instanceof Error ? `${errorType}: ${errorMessage}` : errorMessage;
}

globalThis.awslambda = awslambda;
install(env.AWS_LAMBDA_LOG_FORMAT, env.AWS_LAMBDA_LOG_LEVEL);
connection.release();
try {
  const loaded = await load(env.LAMBDA_TASK_ROOT, env._HANDLER);
  if (!callbacks && !isStreaming(loaded) && loaded.length >= 3) {
    throw new RuntimeError('CallbackHandlerDeprecated',
      'Handlers with a callback end with nodejs22.x: make the handler async, without a third parameter.');
  }
  // Promises that were rejected meanwhile are heard of before that.
  setImmediate(() => {
    if (ending) return;
    handler = loaded;
    connection.next(invoke);
  });
} catch (error) {
  end(error, describe(error), 'Uncaught Exception', 1);
}
