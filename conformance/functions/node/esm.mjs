// A handler without a framework, as an ES module that awaits something first.
import { setTimeout } from 'node:timers/promises';

const { handler: plain } = await setTimeout(1, import('./cjs.js'));

export const handler = async (event, context) => plain(event, context);
