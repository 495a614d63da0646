// Fetches what /fetches says, one after the other, and posts to /seen what a page of
// this origin got to see: status, text and the names of the headers, or an error.

async function seen({ url, ...options }) {
  try {
    const response = await fetch(url, options);
    return { status: response.status, text: await response.text(), headers: [...response.headers.keys()] };
  } catch (error) {
    return { error: error.name };
  }
}

(async () => {
  const all = [];
  for (const one of await (await fetch("/fetches")).json()) {
    all.push(await seen(one));
  }
  await fetch("/seen", { method: "POST", body: JSON.stringify(all) });
})();
