// A first visit: three things to try by one click each, and the request a product would send.

import { attempt, call } from "./acts.js";
import { avatar } from "./avatar.js";
import { button, el, fill, find } from "./dom.js";
import { refused } from "./notices.js";
import { be } from "./places.js";
import { begun, tried, wish } from "./session.js";
import { listen, nameOf, world } from "./store.js";
import { written } from "./times.js";

let answer = null;
let busy = null;
let shown = "";

export function startGuide() {
  listen(["places", "anew"], draw);
}

export function toggleGuide() {
  wish.set("guide", isOpen() ? "closed" : "open");
  draw();
}

const isOpen = () => wish.get("guide") !== "closed";

function draw() {
  const guide = world.places?.guide;
  const box = find("guide");
  guide?.tries.forEach((_, index) => tick(index, guide.done));
  box.hidden = !guide?.tries.length || !isOpen();
  const state = JSON.stringify([guide, answer, busy, box.hidden, guide?.tries.map((_, index) => tried.has(index))]);
  if (state === shown || !guide) return;
  shown = state;
  const focus = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const close = button("✕", toggleGuide, { class: "plain guide-close", "aria-label": "Close the things to try" });
  const title = el("h2", { class: "guide-title" }, "Three things to try", el("small", {}, "one click each, then anything you like"));
  const cards = guide.tries.map(card);
  fill(box, el("div", { class: "cards" }, title, cards, guide.call && callCard(guide.call), close), response());
  if (focus) box.querySelector(`[data-key="${focus}"]`)?.focus();
}

/** What needed more than the one click counts once all of it is done. */
function tick(index, done) {
  if (!done.includes(begun.get(index))) return;
  tried.add(index);
  begun.set(index, null);
}

function card(each, index) {
  const done = tried.has(index);
  const run = async () => {
    busy = index;
    draw();
    const told = await refused(attempt(index));
    busy = null;
    if (told) {
      answer = null; // it told of what has changed by now
      begun.set(index, told.begun);
      if (!told.begun) tried.add(index);
      be(told.who, told.at);
    }
    draw();
  };
  const number = el("span", { class: done ? "number done" : "number", "aria-hidden": "true" }, done ? "✓" : String(index + 1));
  const who = el("span", { class: "card-who" }, avatar(each.who, nameOf(each.who), "tiny"), `as ${nameOf(each.who)}`);
  const start = button(busy === index ? "…" : each.title, run, {
    class: `button ${done ? "secondary" : "primary"}`,
    disabled: busy !== null,
    dataset: { key: `try-${index}` },
  });
  return el("div", { class: "card" }, el("div", { class: "card-head" }, number, start, who), el("p", {}, each.about));
}

function callCard({ title, about }) {
  const run = async () => {
    const told = await refused(call());
    if (told) answer = { ...told, at: Date.now() };
    draw();
  };
  const number = el("span", { class: "number api", "aria-hidden": "true" }, "{}");
  const who = el("span", { class: "card-who" }, "as the product");
  const start = button(title, run, { class: "button success", dataset: { key: "call" } });
  return el("div", { class: "card" }, el("div", { class: "card-head" }, number, start, who), el("p", {}, about));
}

/** The answer with its verdict marked, byte for byte as it came. */
function told() {
  const found = /^(\{"valid":(?:true|false),"status":"[^"]*")([\s\S]*)$/.exec(answer.answer);
  return found ? [el("mark", {}, found[1]), found[2]] : answer.answer;
}

/** The request and its answer, as they went over the wire. */
function response() {
  if (!answer) return null;
  const close = () => {
    answer = null;
    draw();
  };
  const at = new Date(answer.at);
  const status = [el("b", {}, `HTTP ${answer.status}`), " at ", el("time", { datetime: at.toISOString() }, written(at, "T")), "\n"];
  const good = /"valid":\s*true/.test(answer.answer);
  return el(
    "div",
    { class: good ? "wire good" : "wire bad", role: "status" },
    el("pre", { tabindex: "0", "aria-label": "Request" }, answer.shown),
    el("pre", { tabindex: "0", "aria-label": "Answer", class: "wire-answer" }, status, told()),
    button("✕", close, { class: "plain", "aria-label": "Close the answer" }),
  );
}
