// Context menus: of a message and of a person, with the commands the bot put there.

import { commands, menu } from "./acts.js";
import { el, find, isTyped } from "./dom.js";
import { firstWords } from "./message.js";
import { refused, toast } from "./notices.js";
import { be } from "./places.js";
import { announce, here, member, nameOf, world } from "./store.js";

const USER = 2;
const MESSAGE = 3;
let closeOpen = null;

/** Open a menu where the pointer is, or beside what has the focus. Entries: {label, run, danger?, title?}. */
function openMenu(event, label, entries) {
  event.preventDefault();
  event.stopPropagation();
  closeOpen?.();
  const origin = document.activeElement;
  const list = el("div", { class: "menu", role: "menu", "aria-label": label });
  const close = (refocus) => {
    list.remove();
    document.removeEventListener("mousedown", away, true);
    closeOpen = null;
    if (refocus && origin?.isConnected) origin.focus();
  };
  const away = (pressed) => !list.contains(pressed.target) && close(false);
  list.append(...entries.map((each) => entry(each, () => close(true))));
  list.addEventListener("keydown", (pressed) => keys(pressed, list, () => close(true)));
  closeOpen = () => close(false);
  find("overlays").append(list);
  document.addEventListener("mousedown", away, true);
  place(list, event);
  list.querySelector('[role="menuitem"]')?.focus();
}

function entry({ label, run, title, detail }, close) {
  if (title) return el("div", { class: "menu-title", role: "presentation" }, title);
  const chosen = () => {
    close();
    run();
  };
  const settings = { class: "menu-item", role: "menuitem", type: "button", tabindex: "-1", on: { click: chosen } };
  return el("button", settings, el("span", { dir: "auto" }, label), detail && el("small", {}, detail));
}

function keys(event, list, close) {
  const items = [...list.querySelectorAll('[role="menuitem"]')];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) items[to % items.length].focus();
  else if (isTyped(event, "Escape", "Tab")) close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function place(list, event) {
  const box = event.currentTarget?.getBoundingClientRect?.() ?? event.target.getBoundingClientRect();
  const pointed = event.type === "contextmenu" && event.clientX > 0;
  const left = pointed ? event.clientX : box.left + Math.min(40, box.width);
  const top = pointed ? event.clientY : box.top + Math.min(28, box.height);
  list.style.left = `${Math.max(8, Math.min(left, innerWidth - list.offsetWidth - 8))}px`;
  list.style.top = `${Math.max(8, Math.min(top, innerHeight - list.offsetHeight - 8))}px`;
}

async function offered(type) {
  const found = (await refused(commands(here.at))) ?? [];
  return found.filter((each) => each.type === type);
}

function apps(found, target) {
  if (!found.length) return [];
  const entries = found.map((each) => ({
    label: each.shown_name,
    detail: world.places.bot.name,
    run: () => refused(menu(each.name, target)),
  }));
  return [{ title: "Apps" }, ...entries];
}

/** Copy to the clipboard; where the browser forbids it, say the words instead. */
async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    toast("Copied.");
  } catch {
    toast(words);
  }
}

const standing = (event) => ({
  type: event.type,
  clientX: event.clientX,
  clientY: event.clientY,
  target: event.target,
  currentTarget: event.currentTarget,
  preventDefault() {},
  stopPropagation() {},
});

export async function messageMenu(event, message) {
  event.preventDefault();
  const where = standing(event);
  const found = await offered(MESSAGE);
  openMenu(where, "Message", [
    { label: "Copy text", run: () => copy(firstWords(message)) },
    { label: "Copy message ID", run: () => copy(message.id) },
    ...(message.private ? [] : apps(found, message.id)),
  ]);
}

export async function memberMenu(event, userId) {
  event.preventDefault();
  const where = standing(event);
  const found = member(userId) ? await offered(USER) : [];
  const isPerson = world.places.people.some((each) => each.id === userId);
  openMenu(where, nameOf(userId), [
    { label: `Mention @${nameOf(userId)}`, run: () => announce("mention", userId) },
    ...(isPerson && userId !== here.me ? [{ label: `Be ${nameOf(userId)}`, run: () => be(userId) }] : []),
    { label: "Copy user ID", run: () => copy(userId) },
    ...apps(found, userId),
  ]);
}
