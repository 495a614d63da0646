// Answers the story's requests with the AWS SDK for JavaScript: one JSON object
// per line, in and out.
//
//	{"describe": true}                               -> {"out": {"CreateApi": {"pages": false}, ...}}
//	{"op": "CreateApi", "in": {...}}                 -> {"out": {...}, "status": 201} or {"error": {...}}
//	{"op": "ListRoutingRules", "in": ..., "page": 2} -> {"out": {"RoutingRules": [...]}} by the SDK's paginator
//	{"fetch": {"method", "url", "headers", "body"}}  -> {"out": {"status", "headers", "body"}}
//
// The first argument is the address of the control plane, the second "signed" or
// "unsigned". Credentials come from the environment, as for any program.
import http from "node:http";
import readline from "node:readline";
import * as sdk from "@aws-sdk/client-apigatewayv2";

const [endpoint, signing] = process.argv.slice(2);
const client = new sdk.ApiGatewayV2Client({
  endpoint,
  ...(signing === "unsigned" && {
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
    signer: { sign: async (request) => request },
  }),
});

function describe() {
  const known = {};
  for (const name of Object.keys(sdk)) {
    const op = name.match(/^([A-Z]\w*)Command$/)?.[1];
    if (op) known[op] = { pages: `paginate${op}` in sdk };
  }
  return { out: known };
}

async function call(op, input, page) {
  try {
    if (page) return { out: await pages(op, input, page) };
    const { $metadata, ...out } = await client.send(new sdk[`${op}Command`](input));
    return { out, status: $metadata.httpStatusCode };
  } catch (e) {
    if (!(e instanceof sdk.ApiGatewayV2ServiceException)) throw e;
    return { error: { class: e.constructor.name, code: e.name, message: e.message } };
  }
}

async function pages(op, input, pageSize) {
  const all = {};
  for await (const { $metadata, NextToken, ...page } of sdk[`paginate${op}`]({ client, pageSize }, input)) {
    for (const [name, items] of Object.entries(page)) all[name] = [...(all[name] ?? []), ...items];
  }
  return all;
}

// http.request and not fetch: names under localhost are loopback, but not every
// resolver knows that, and fetch cannot be told.
function fetch({ method, url, headers, body }) {
  const lookup = (name, { all }, done) =>
    all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, lookup, timeout: 30_000 }, async (response) => {
      const pairs = [];
      for (let i = 0; i < response.rawHeaders.length; i += 2) {
        pairs.push(response.rawHeaders.slice(i, i + 2));
      }
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ out: { status: response.statusCode, headers: pairs, body: text } });
    });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error("no answer within 30 s")));
    request.end(body);
  });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  let answer;
  if (message.describe) answer = describe();
  else if (message.fetch) answer = await fetch(message.fetch);
  else answer = await call(message.op, message.in, message.page);
  // A body that is no JSON comes as bytes.
  console.log(JSON.stringify(answer, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)));
}
