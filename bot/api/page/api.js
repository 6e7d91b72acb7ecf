// Talking to this server, and to no other.

export const BASE = new URL("../", import.meta.url);
const PATIENCE_MS = 15_000;

/** Send a request; give what came back and how long it took. Throws an Error that says what is wrong. */
export async function send({ method, path, headers, body }) {
  const began = performance.now();
  let response;
  let bytes;
  try {
    response = await fetch(new URL(path, BASE), {
      method,
      headers,
      body,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(unanswered(error), { cause: error });
  }
  return { code: response.status, headers: response.headers, bytes, ms: performance.now() - began };
}

function unanswered(error) {
  return error?.name === "TimeoutError"
    ? "No answer came within 15 seconds."
    : "The server did not answer: it may be stopped, or the network is away.";
}

/** Read one of the page's own JSON files. Throws an Error. */
export async function read(path) {
  const answer = await send({ method: "GET", path, headers: {} });
  if (answer.code !== 200) throw new Error(`The server answered ${answer.code}.`);
  return JSON.parse(text(answer.bytes));
}

export const text = (bytes) => new TextDecoder().decode(bytes);

/** The body as JSON, or undefined if it is none. */
export function parsed(bytes) {
  try {
    return JSON.parse(text(bytes));
  } catch {
    return undefined;
  }
}
