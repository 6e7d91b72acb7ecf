// Round pictures of people, of the bot and of servers: initials on a colour of their own.

import { el } from "./dom.js";
import { world } from "./store.js";

const HUES = 8;
const letters = new Intl.Segmenter("en", { granularity: "grapheme" });

export function initials(name, most = 2) {
  const words = name.trim().split(/\s+/).slice(0, most);
  return words.map((word) => [...letters.segment(word)][0]?.segment ?? "").join("") || "?";
}

function hue(id) {
  return Number((BigInt(id) >> 22n) % BigInt(HUES)); // the bits below count within a millisecond
}

/** A person's picture; decoration, for the name always stands beside it. */
export function avatar(id, name, size = "") {
  const isBot = id === world.places?.bot.id;
  const classes = `avatar ${size} ${isBot ? "of-bot" : `hue-${hue(id)}`}`;
  return el("span", { class: classes, "aria-hidden": "true" }, isBot ? keyShape() : initials(name, 1).toUpperCase());
}

function keyShape() {
  return el("span", { class: "key-shape" });
}
