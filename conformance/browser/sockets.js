// Opens the WebSockets that /sockets says, one after the other, and posts to /heard what
// this page got: each sends its messages, waits for as many, and is closed.

function talk({ url, protocols, say, close }) {
  return new Promise((resolve) => {
    const heard = { opened: false, protocol: "", extensions: "", messages: [], error: "" };
    let socket;
    try {
      socket = new WebSocket(url, protocols ?? []);
    } catch (error) {
      resolve({ ...heard, error: error.name });
      return;
    }
    socket.onopen = () => {
      heard.opened = true;
      heard.protocol = socket.protocol;
      heard.extensions = socket.extensions;
      for (const text of say) socket.send(text.startsWith("bytes:") ? new TextEncoder().encode(text) : text);
    };
    socket.onmessage = ({ data }) => {
      heard.messages.push(typeof data === "string" ? data : `${data}`);
      if (heard.messages.length === say.length) socket.close(...(close ?? []));
    };
    socket.onerror = () => (heard.error = "error");
    socket.onclose = ({ code, reason, wasClean }) => resolve({ ...heard, code, reason, clean: wasClean });
  });
}

(async () => {
  const all = [];
  for (const one of await (await fetch("/sockets")).json()) all.push(await talk(one));
  await fetch("/heard", { method: "POST", body: JSON.stringify(all) });
})();
