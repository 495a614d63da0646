import common from "./common.cjs";

export const handler = common("esm");

export const stream = awslambda.streamifyResponse(async (event, out) => {
  out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { "content-type": "text/plain", "x-by": "node" }, cookies: ["s=1"] });
  out.write("first ");
  await new Promise((done) => setTimeout(done, 20));
  out.end("second");
});
