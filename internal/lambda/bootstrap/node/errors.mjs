// Errors: what is told about them, to the caller and in the log.

import util from 'node:util';

// A RuntimeError is one that the runtime has found: its name is its documented type.
export class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

function isError(value) {
  return util.types.isNativeError(value) || value instanceof Error;
}

// describe returns the error as the caller gets it. Anything can be thrown, so it takes
// anything, and does not throw whatever the getters of the value do.
export function describe(error) {
  try {
    if (isError(error)) {
      return {
        errorType: String(error.name),
        errorMessage: String(error.message),
        trace: String(error.stack ?? '').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'an error was thrown that cannot be described', trace: [] };
  }
}

// record returns the error as it stands in the log: JSON with the members that the
// error has of its own, such as code.
export function record(error) {
  const { errorType, errorMessage, trace } = describe(error);
  try {
    const own = isError(error) ? { ...error } : {};
    delete own.name;
    return JSON.stringify({ errorType, errorMessage, ...own, stack: trace });
  } catch {
    return JSON.stringify({ errorType, errorMessage, stack: trace });
  }
}

// headerText returns text that may stand in a header.
export function headerText(text) {
  return text.replace(/[^ -~]/g, '?').slice(0, 256);
}
