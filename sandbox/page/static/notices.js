// Short notices: what was refused, what happened to the connection.

import { button, el, find } from "./dom.js";
import { listen, world } from "./store.js";

const TOAST_MS = 6000;
const REFUSAL_MS = 12000; // a refusal is read to the end, and perhaps acted on

/** Say something in passing, or with `bad` why something was refused, which interrupts a screen reader. */
export function toast(words, kind = "") {
  const node = el("div", { class: `toast ${kind}` }, el("span", { dir: "auto" }, words));
  node.append(button("✕", () => node.remove(), { class: "plain", "aria-label": "Dismiss" }));
  find(kind === "bad" ? "alerts" : "notices").append(node);
  setTimeout(() => node.remove(), kind === "bad" ? REFUSAL_MS : TOAST_MS);
}

/** Tell why an act was refused; give what it told, or null. */
export async function refused(act) {
  try {
    return await act;
  } catch (error) {
    toast(error.message, "bad");
    return null;
  }
}

export function startNotices() {
  listen(["connection", "places", "ready"], showBanner);
  listen(["anew"], () => toast("The sandbox was started anew: what you saw before is gone."));
}

function showBanner() {
  const words = whatIsWrong();
  const banner = find("banner");
  banner.hidden = !words;
  if (banner.textContent !== words) banner.textContent = words;
}

function whatIsWrong() {
  const bot = world.places?.bot;
  if (!world.online) return "Connection lost: the sandbox does not answer. Trying again…";
  if (bot && !bot.online) return `${bot.name} is offline: nothing you do here is answered until it is back.`;
  return "";
}
