const allowed = (event) => (event.headers.authorization ?? event.headers.Authorization) === "open sesame";

export const simple = async (event) => ({ isAuthorized: allowed(event), context: { by: "node", version: event.version } });

export const policy = async (event) => {
  if (event.headers.Authorization === "throw" || event.headers.authorization === "throw") throw new Error("no door");
  return {
    principalId: "ada",
    policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect: allowed(event) ? "Allow" : "Deny", Resource: event.methodArn ?? event.routeArn }] },
    context: { by: "node", version: event.version },
  };
};
