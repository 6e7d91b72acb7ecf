// What came back, for people: the verdict in words, what to do, whether it is genuine, and every byte of it.

import { parsed, text } from "./api.js";
import { copies, el, fill, find, rich } from "./dom.js";
import { code, pretty } from "./json.js";

const MARKS = { good: "✓", bad: "✕", unknown: "?" };
const PROOFS = { right: "✓", wrong: "✕", unknown: "–" };
const FOUND = {
  lookup: ["Found", "This is what is known of the license. A look-up changes nothing."],
  file: ["License file", "The license is good, and this file proves it offline until it ends."],
  keys: ["Public keys", "Ship these with your product, and it can check signatures without asking."],
};
const NO_KEYS = {
  mood: "unknown",
  title: "No public keys",
  means: "This product signs with none, so there is nothing to ship.",
  todo: "Staff turn signing on with `/product signing`: Ed25519, or RSA for Java 8 and .NET. A shared secret (HMAC) is never published.",
};

/** Bring the verdict before the eyes: on a narrow screen it stands below the form. */
export function lookAtVerdict() {
  const { top } = find("verdict").getBoundingClientRect();
  if (top < 0 || top > innerHeight - 120) find("verdict").scrollIntoView({ block: "start" });
}

/** Show that a request is on its way. */
export function showWaiting() {
  find("verdict").setAttribute("aria-busy", "true");
}

/** Show that nothing came back. */
export function showSilence(words) {
  verdict({ mood: "unknown", title: "No answer", means: words, todo: "Nothing is known about the license. Start the server or look at the network, and send it again." });
  fill(find("details"));
}

/** Show an answer. */
export function show({ kind, answer, body, meanings, found }) {
  verdict({ ...judged(kind, answer, body, meanings), facts: facts(answer) });
  fill(
    find("details"),
    kind === "validate" && answer.code === 200 && body ? license(body) : null,
    found.proofs.length ? proofList(found.proofs) : null,
    ...(found.decoded ?? []).map(([label, value]) => block(label, code(label, pretty(value)))),
    bodyBlock(answer, body),
    headerBlock(answer),
  );
}

function judged(kind, answer, body, meanings) {
  const status = body?.status;
  const meaning = meanings[status];
  if (answer.code === 200 && kind === "keys" && !body?.keys?.length) return NO_KEYS;
  if (answer.code === 200 && kind !== "validate") {
    const [title, means] = FOUND[kind];
    return { mood: "good", title, means };
  }
  if (status === undefined) {
    return { mood: "unknown", title: "Not understood", means: "The answer is no JSON of this API; perhaps a proxy in between gave it.", todo: "Nothing is known about the license." };
  }
  const unclear = answer.code === 429 || answer.code >= 500;
  // Where the product explains, the message repeats the meaning.
  const message = body.message?.startsWith(meaning?.means) ? null : body.message;
  return { mood: body.valid ? "good" : unclear ? "unknown" : "bad", title: status, isStatus: true, means: meaning?.means, todo: meaning?.do, message };
}

function verdict({ mood, title, isStatus, means, todo, message, facts: told }) {
  const node = find("verdict");
  node.setAttribute("aria-busy", "false");
  fill(
    node,
    el(
      "div",
      { class: `verdict ${mood}` },
      el("p", { class: "verdict-title" }, el("span", { class: "mark", "aria-hidden": "true" }, MARKS[mood]), el(isStatus ? "code" : "strong", {}, title)),
      told ? el("p", { class: "facts" }, told) : null,
      means ? el("p", { class: "means" }, rich(means)) : null,
      message ? el("p", { class: "message" }, "The server says: ", rich(message)) : null,
      todo ? el("p", { class: "todo" }, rich(todo)) : null,
    ),
  );
}

function facts(answer) {
  const code = answer.headers.get("X-Support-Code");
  return [`HTTP ${answer.code}`, `${Math.max(1, Math.round(answer.ms))} ms`, `${answer.bytes.length} bytes`, code ? `support code ${code}` : null]
    .filter(Boolean)
    .join(" · ");
}

function license(body) {
  const told = [
    ["Ends", body.status === "license_not_found" ? null : ends(body.expires)],
    ["Addresses", body.ip_count === null ? null : `${body.ip_count} of ${body.max_ips ?? "any number"}`],
    ["Version", body.version_valid === null ? body.version : `${body.version ?? "none sent"}, ${body.version_valid ? "allowed" : "not allowed"}`],
  ].filter(([, words]) => words);
  return told.length ? el("dl", { class: "told" }, told.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words)))) : null;
}

function ends(expires) {
  return expires ? `${expires.slice(0, 16).replace("T", " ")} UTC` : "never";
}

function proofList(proofs) {
  const line = ({ outcome, words }) => el("li", { class: outcome }, el("span", { class: "mark", "aria-hidden": "true" }, PROOFS[outcome]), el("span", {}, rich(words)));
  return el("ul", { class: "proofs", "aria-label": "Is it genuine?" }, proofs.map(line));
}

function block(title, ...children) {
  return el("section", { class: "block" }, el("div", { class: "bar" }, el("h4", {}, title)), children);
}

function bodyBlock(answer, body) {
  const raw = text(answer.bytes);
  const place = el("div", {});
  const views = { Pretty: () => pretty(body), Raw: () => [raw] };
  const buttons = Object.keys(body === undefined ? { Raw: 1 } : views).map((name) => el("button", { type: "button", class: "quiet", on: { click: () => pick(name) } }, name));
  function pick(name) {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.textContent === name));
    fill(place, code("Body", ...views[name]()));
  }
  pick(buttons[0].textContent);
  const copy = copies(el("button", { type: "button", class: "quiet" }, "Copy"), () => raw, "the body");
  return el("section", { class: "block" }, el("div", { class: "bar" }, el("h4", {}, "Body"), buttons.length > 1 ? buttons : null, copy), place);
}

function headerBlock(answer) {
  const all = [...answer.headers].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return el("details", { class: "block headers" }, el("summary", {}, `Headers (${all.length})`), el("dl", {}, all));
}

/** The body of an answer, if it is an object. */
export function bodyOf(answer) {
  const body = parsed(answer.bytes);
  return body !== null && typeof body === "object" ? body : undefined;
}
