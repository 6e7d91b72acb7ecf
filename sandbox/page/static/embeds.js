// Embeds: the coloured cards of older messages.

import { colour, el } from "./dom.js";
import { inline, markdown } from "./markdown.js";
import { written } from "./times.js";

export function embed(found) {
  const vars = found.color !== undefined && found.color !== null ? { "--accent": colour(found.color) } : {};
  return el(
    "article",
    { class: "embed", vars },
    found.author && el("div", { class: "embed-author" }, found.author.name),
    found.title && el("div", { class: "embed-title" }, inline(found.title)),
    found.description && el("div", { class: "embed-text" }, markdown(found.description)),
    found.fields?.length ? el("div", { class: "embed-fields" }, found.fields.map(field)) : null,
    footer(found),
  );
}

function field({ name, value, inline: beside }) {
  const settings = { class: beside ? "embed-field beside" : "embed-field" };
  return el("div", settings, el("div", { class: "embed-name" }, inline(name)), el("div", {}, markdown(value)));
}

function footer({ footer: words, timestamp }) {
  const parts = [words?.text, timestamp && written(new Date(timestamp), "f")].filter(Boolean);
  return parts.length ? el("div", { class: "embed-footer" }, parts.join(" • ")) : null;
}
