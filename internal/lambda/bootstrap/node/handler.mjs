// Handlers: finding the function that a handler such as dir/file.export.nested names.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeError } from './errors.mjs';

// load returns the function that handler names in the directory root.
export async function load(root, handler) {
  const slash = handler.lastIndexOf('/') + 1;
  const directory = handler.slice(0, slash);
  const dot = handler.indexOf('.', slash);
  if (handler.includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `'${handler}' is not a valid handler name: it must not have "..".`);
  }
  if (dot <= slash || dot === handler.length - 1) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const file = handler.slice(slash, dot);
  let value = await importModule(path.resolve(root, directory), file);
  for (const name of handler.slice(dot + 1).split('.')) value = value?.[name];
  if (value === undefined || value === null) {
    throw new RuntimeError('HandlerNotFound', `${handler} is undefined or not exported`);
  }
  if (typeof value !== 'function') throw new RuntimeError('HandlerNotFound', `${handler} is not a function`);
  return value;
}

async function importModule(directory, name) {
  try {
    const file = find(path.join(directory, name)) ?? createRequire(path.join(directory, 'index.js')).resolve(name);
    return isModule(file) ? await import(pathToFileURL(file)) : await requireModule(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw wrap('UserCodeSyntaxError', error);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw wrap('ImportModuleError', error);
    }
    throw error;
  }
}

const require = createRequire(import.meta.url);

// requireModule loads a CommonJS module. A file that turns out to be an ECMAScript
// module with top-level await can only be imported.
async function requireModule(file) {
  try {
    return require(file);
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return await import(pathToFileURL(file));
  }
}

// wrap keeps the stack of the error, which says where in the code of the user it is.
function wrap(name, error) {
  const wrapped = new RuntimeError(name, String(error));
  wrapped.stack = `${wrapped.name}: ${error.stack ?? error}`;
  return wrapped;
}

// find returns the file of a module that is named without its extension, or of a
// directory that is a module; undefined if there is neither.
function find(base) {
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    if (isFile(base + extension)) return base + extension;
  }
  if (!fs.statSync(base, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const main = readPackage(path.join(base, 'package.json'))?.main;
  if (typeof main === 'string') {
    const file = path.join(base, main);
    if (isFile(file)) return file;
    if (isFile(file + '.js')) return file + '.js';
  }
  return ['index.js', 'index.mjs', 'index.cjs'].map((index) => path.join(base, index)).find(isFile);
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

// isModule reports whether a file is an ECMAScript module: by its extension, or by the
// nearest package.json.
function isModule(file) {
  if (file.endsWith('.mjs')) return true;
  if (!file.endsWith('.js')) return false;
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    const found = readPackage(path.join(directory, 'package.json'));
    if (found !== undefined) return found?.type === 'module';
    if (directory === path.dirname(directory)) return false;
  }
}

function readPackage(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return JSON.parse(text);
}
