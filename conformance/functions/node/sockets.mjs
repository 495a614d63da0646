// Functions of WebSocket APIs: one behind the routes, one that lets clients in. Each tells
// $NOTARY its event first, and learns from the answer where the API is.
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

async function tell(event) {
  const answer = await fetch(process.env.NOTARY, { method: 'POST', body: JSON.stringify(event) });
  return (await answer.json()).endpoint;
}

const clients = new Map();

function client(endpoint) {
  if (!clients.has(endpoint)) clients.set(endpoint, new ApiGatewayManagementApiClient({ endpoint }));
  return clients.get(endpoint);
}

const post = (endpoint, ConnectionId, Data) => client(endpoint).send(new PostToConnectionCommand({ ConnectionId, Data }));

// Groups are an extension that the SDK does not know: it signs another path.
async function groups(endpoint, method, path, Data = '') {
  const command = new PostToConnectionCommand({ ConnectionId: 'none', Data });
  command.middlewareStack.add(
    (next) => (args) => {
      args.request.method = method;
      args.request.path = args.request.path.replace(/\/@connections\/none$/, `/@groups/${path}`);
      if (method !== 'POST') delete args.request.body;
      return next(args);
    },
    { step: 'build' },
  );
  await client(endpoint).send(command);
}

const room = 'lobby';

const header = (event, name) => Object.entries(event.headers).find(([key]) => key.toLowerCase() === name)?.[1];

async function connect(event, endpoint) {
  const query = event.queryStringParameters ?? {};
  if (query.throw) throw new Error(query.throw);
  if (query.status) return { statusCode: Number(query.status), body: `refused with ${query.status}` };
  if (query.early) {
    // Nobody can send to a connection that is not let in yet.
    const early = await post(endpoint, event.requestContext.connectionId, 'early').then(() => 'sent', (e) => e.name);
    return { statusCode: 403, body: early };
  }
  const offered = header(event, 'sec-websocket-protocol')?.split(/\s*,\s*/) ?? [];
  return { statusCode: 200, headers: { ...(offered.includes('chat.v2') && { 'Sec-WebSocket-Protocol': 'chat.v2' }) } };
}

async function message(event, endpoint) {
  const { connectionId, routeKey } = event.requestContext;
  if (routeKey === '$default') return { statusCode: 200, body: `default: ${event.body}` };
  const { to, text } = JSON.parse(event.body);
  switch (routeKey) {
    case 'post':
      await post(endpoint, to ?? connectionId, `posted: ${text}`);
      return { statusCode: 200, body: 'nobody sees this' };
    case 'join':
      await groups(endpoint, 'PUT', `${room}/${encodeURIComponent(connectionId)}`);
      return { statusCode: 200, body: 'joined' };
    case 'say':
      await groups(endpoint, 'POST', room, text);
      return { statusCode: 200 };
    case 'fail':
      throw new Error(text);
  }
}

export async function handler(event) {
  const endpoint = await tell(event);
  switch (event.requestContext.eventType) {
    case 'CONNECT':
      return connect(event, endpoint);
    case 'MESSAGE':
      return message(event, endpoint);
    case 'DISCONNECT':
      await groups(endpoint, 'POST', room, `left: ${event.requestContext.connectionId}`);
      return { statusCode: 200 };
  }
}

const policy = (Effect, Resource) => ({
  Version: '2012-10-17',
  Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }],
});

// authorize lets in who has a token with a name, but not who is called Eve.
export async function authorize(event) {
  await tell(event);
  const { token } = event.queryStringParameters;
  if (token === 'none') throw new Error('Unauthorized');
  if (token === 'broken') throw new Error('out of order');
  return {
    principalId: token,
    policyDocument: policy(token === 'Eve' ? 'Deny' : 'Allow', event.methodArn),
    context: { number: 7, member: true, room: 'lobby' },
  };
}
