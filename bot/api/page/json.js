// JSON as people read it: indented, and its kinds of value told apart by colour.

import { el } from "./dom.js";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function pretty(value) {
  const source = JSON.stringify(value, null, 2);
  const parts = [];
  let at = 0;
  for (const token of source.matchAll(TOKEN)) {
    parts.push(source.slice(at, token.index), el("span", { class: kind(token) }, token[1] ?? token[0]), token[2] ?? "");
    at = token.index + token[0].length;
  }
  return [...parts, source.slice(at)];
}

function kind([whole, string, colon]) {
  if (string) return colon ? "json-name" : "json-text";
  return /^[-\d]/.test(whole) ? "json-number" : "json-word";
}

/** A block of code that can be scrolled by keyboard. */
export function code(label, ...children) {
  return el("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label }, el("code", {}, ...children));
}
