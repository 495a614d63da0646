// Uses connections of WebSocket APIs with the AWS SDK for JavaScript: one JSON object per
// line, in and out.
//
//	{"endpoint", "key", "secret", "token", "do": "post", "id", "text"}
//	-> {"out": {}, "status": 200} or {"error": {...}}
import http from "node:http";
import readline from "node:readline";
import * as sdk from "@aws-sdk/client-apigatewaymanagementapi";

// Names under localhost are loopback, but not every resolver knows that.
const lookup = (name, { all }, done) =>
  all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
const httpAgent = new http.Agent({ lookup });

const commands = {
  post: ({ id, text }) => new sdk.PostToConnectionCommand({ ConnectionId: id, Data: text }),
  get: ({ id }) => new sdk.GetConnectionCommand({ ConnectionId: id }),
  delete: ({ id }) => new sdk.DeleteConnectionCommand({ ConnectionId: id }),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { endpoint, key, secret, token, do: name, ...more } = JSON.parse(line);
  const client = new sdk.ApiGatewayManagementApiClient({
    endpoint,
    credentials: { accessKeyId: key, secretAccessKey: secret, sessionToken: token || undefined },
    requestHandler: { httpAgent },
  });
  let answer;
  try {
    const { $metadata, ...out } = await client.send(commands[name](more));
    answer = { out, status: $metadata.httpStatusCode };
  } catch (e) {
    if (!(e instanceof sdk.ApiGatewayManagementApiServiceException)) throw e;
    answer = { error: { class: e.constructor.name, code: e.name, message: e.message } };
  }
  console.log(JSON.stringify(answer));
}
