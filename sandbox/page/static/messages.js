// The messages of the channel one is in, kept up to date without losing place or focus.

import { history } from "./acts.js";
import { button, el, fill, find, moveStop } from "./dom.js";
import { messageNode, spoken, used } from "./message.js";
import { messageMenu } from "./menus.js";
import { refused } from "./notices.js";
import { dismissed, own } from "./session.js";
import { channel, compareIds, here, listen, markRead, messagesIn, nameOf, world } from "./store.js";
import { sameDay, whenWritten, written } from "./times.js";

const TOGETHER_MS = 7 * 60 * 1000;
const PAGE = 100; // as many as the sandbox tells at once
const NEAR_END = 80;

let drawn = new Map(); // message id to {shape, node}
let shownFor = "";
let following = true; // whether the reader is at the end, where new messages come
let exhausted = new Set();

export function startMessages() {
  listen(["messages", "interactions", "places", "ready"], draw);
  listen(["moved"], draw);
  listen(["arrived"], announceAloud);
  const list = find("messages");
  list.addEventListener("keydown", walk);
  list.addEventListener("scroll", () => {
    following = atEnd(list);
    if (following) markRead(here.at);
  });
  new ResizeObserver(() => following && toEnd(list)).observe(list);
}

const toEnd = (list) => {
  list.scrollTop = list.scrollHeight;
};

const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;

function draw() {
  if (!world.ready) return;
  const list = find("messages");
  if (!channel()) return nowhere(list);
  const place = `${here.me}:${here.at}`;
  const follow = place !== shownFor || following;
  if (place !== shownFor) {
    drawn = new Map();
    fill(find("announcer"));
  }
  shownFor = place;
  const focus = focused(list);
  const nodes = [opening(), ...messageNodes(), ...waitingNodes()];
  arrange(list, nodes.filter(Boolean));
  const last = [...list.querySelectorAll(".message")];
  if (!last.some((each) => each.tabIndex === 0)) moveStop(last, last.at(-1));
  restore(list, focus);
  if (follow) {
    following = true;
    toEnd(list);
    markRead(here.at);
  }
}

/** Somebody who was removed from the last server sees nothing any more. */
function nowhere(list) {
  drawn = new Map();
  shownFor = "";
  const words = `${nameOf(here.me)} is in no server. Be somebody else, above.`;
  fill(list, el("div", { class: "opening" }, el("div", { class: "opening-title" }, "Nothing to see here"), el("p", {}, words)));
}

/** Put the nodes in order, touching only those that are new or elsewhere. */
function arrange(list, nodes) {
  const wanted = new Set(nodes);
  for (const each of [...list.children]) if (!wanted.has(each)) each.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

function opening() {
  const where = channel();
  const all = messagesIn(here.at);
  if (all.length >= PAGE && !exhausted.has(here.at)) {
    return button("Show earlier messages", () => earlier(all[0].id), { class: "earlier", dataset: { key: "earlier" } });
  }
  if (!where) return null;
  const title = where.direct ? where.name : `Welcome to #${where.name}!`;
  const words = where.direct
    ? `This is the beginning of your direct messages with ${where.name}.`
    : `This is the start of the #${where.name} channel. Type / to see what you can do here.`;
  return el("div", { class: "opening" }, el("div", { class: "opening-title", dir: "auto" }, title), el("p", {}, words));
}

async function earlier(before) {
  const found = (await refused(history(here.at, before))) ?? [];
  for (const each of found) world.messages.set(each.id, each);
  if (found.length < PAGE) exhausted.add(here.at);
  draw();
}

function messageNodes() {
  const nodes = [];
  const next = new Map();
  let previous = null;
  for (const message of messagesIn(here.at)) {
    if (dismissed.has(message.id)) continue;
    const compact = follows(message, previous);
    if (!previous || !sameDay(previous.timestamp, message.timestamp)) nodes.push(dayLine(message.timestamp));
    const shape = shapeOf(message, compact);
    const before = drawn.get(message.id);
    const node = before?.shape === shape ? before.node : make(message, compact);
    if (before && before.node.tabIndex === 0) node.tabIndex = 0;
    next.set(message.id, { shape, node });
    nodes.push(node);
    previous = message;
  }
  drawn = next;
  return nodes;
}

function make(message, compact) {
  return messageNode(message, { compact, onDismiss: dismiss, onMenu: messageMenu });
}

/** Everything that decides how a message looks: it is made anew when this changes. */
function shapeOf(message, compact) {
  const about = [...world.interactions.values()].filter((each) => each.source === message.id);
  return [identity(message), identity(world.places), compact, ...about.map((each) => `${each.id}${each.status}`)].join();
}

const identities = new WeakMap();
let latest = 0;

/** A number for an object: what the sandbox tells anew is another object. */
function identity(told) {
  if (!identities.has(told)) identities.set(told, (latest += 1));
  return identities.get(told);
}

function follows(message, previous) {
  if (!previous || previous.author.id !== message.author.id || message.interaction || message.answers) return false;
  if (message.referenced_message || previous.private !== message.private) return false;
  return new Date(message.timestamp) - new Date(previous.timestamp) < TOGETHER_MS;
}

const days = new Map();

function dayLine(iso) {
  const words = written(new Date(iso), "D");
  if (!days.has(words)) days.set(words, el("div", { class: "day", role: "separator" }, el("span", {}, words)));
  return days.get(words);
}

/** Commands of this tab that have no answer yet, or never got one. */
function waitingNodes() {
  const mine = [...world.interactions.values()].filter(
    (each) => each.kind === 2 && own.has(each.id) && each.channel_id === here.at && each.status !== "answered",
  );
  const open = mine.filter((each) => !dismissed.has(each.id)).sort((one, other) => compareIds(one.id, other.id));
  return open.map((each) => {
    const failed = each.status === "failed";
    const words = failed ? "The application did not respond" : "Sending command…";
    const dismissal = failed && button("Dismiss message", () => dismiss(each), { class: "as-link" });
    const line = el("div", { class: failed ? "failed" : "thinking" }, failed && "⚠ ", words);
    const foot = el("div", { class: "only-you" }, failed && "Only you can see this • ", dismissal);
    const settings = { class: "message private", tabindex: "-1", dataset: { id: each.id }, "aria-label": words };
    return el("article", settings, used(here.me, each), el("div", { class: "lines" }, whenWritten(each.at), el("div", { class: "body" }, line, foot)));
  });
}

function dismiss({ id }) {
  dismissed.add(id);
  draw();
  find("messages").querySelector('.message[tabindex="0"]')?.focus();
}

// Focus survives a redraw: it is found again by message and control.

function focused(list) {
  const at = document.activeElement;
  if (!list.contains(at)) return null;
  return { id: at.closest("[data-id]")?.dataset.id, key: at.dataset.key, gone: at };
}

function restore(list, focus) {
  if (!focus || focus.gone.isConnected) return;
  const message = list.querySelector(`[data-id="${CSS.escape(focus.id ?? "")}"]`);
  const control = focus.key && message?.querySelector(`[data-key="${CSS.escape(focus.key)}"]:not(:disabled)`);
  (control || message)?.focus({ preventScroll: true });
}

function walk(event) {
  if (!event.target.classList.contains("message")) return;
  const all = [...event.currentTarget.querySelectorAll(".message")];
  const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!to) return;
  event.preventDefault();
  const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(event.target) + to))];
  moveStop(all, next);
  next.focus();
}

function announceAloud(message) {
  if (message.channel_id !== here.at || message.author.id === here.me) return;
  const log = find("announcer");
  log.append(el("div", {}, spoken(message)));
  while (log.children.length > 20) log.firstChild.remove();
}
