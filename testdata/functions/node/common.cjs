// What the functions of the tests do is the last part of the path.
const kept = [];
let invocations = 0;

module.exports = (by) => async (event) => {
  invocations++;
  const answer = { statusCode: 200, headers: { "content-type": "text/plain" }, body: "" };
  switch (event.rawPath.split("/").pop()) {
    case "ok":
      answer.body = `${by} ${event.requestContext.http.method}`;
      return answer;
    case "count":
      answer.body = String(invocations);
      return answer;
    case "throw":
      throw new TypeError(`thrown by ${by}`);
    case "sleep":
      await new Promise((done) => setTimeout(done, 60_000));
      return answer;
    case "nap":
      await new Promise((done) => setTimeout(done, 100));
      return answer;
    case "crash":
      process.exit(3);
    case "memory":
      for (;;) {
        kept.push(Buffer.alloc(16 << 20, 1));
        await new Promise((done) => setTimeout(done, 10));
      }
    case "big":
      answer.body = "x".repeat((6 << 20) + 100);
      return answer;
    case "binary":
      answer.headers["content-type"] = "image/png";
      answer.body = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]).toString("base64");
      answer.isBase64Encoded = true;
      return answer;
    case "cookies":
      answer.cookies = ["a=1; Path=/", "b=2"];
      answer.body = (event.cookies ?? []).join("|");
      return answer;
    default:
      answer.statusCode = 404;
      return answer;
  }
};
