// The message box: plain words, files, and commands from the first slash on.

import { commands, packed, say, slash } from "./acts.js";
import { CommandLine } from "./command.js";
import { button, el, fill, find, isTyped } from "./dom.js";
import { leaves, parse } from "./options.js";
import { drafts } from "./session.js";
import { channel, guild, here, listen, nameOf, world } from "./store.js";
import { hush, suggest, takesKey } from "./suggestions.js";

const MOST_CHARACTERS = 2000;
const COUNTED_BELOW = 200;
const MOST_FILES = 10;

let line = null; // the command that is being typed, if one is
let files = [];
let place = "";
let offered = null; // the commands here, as a promise
let area = null;
let hint = null;

export function startComposer() {
  listen(["places", "ready"], refresh);
  listen(["moved"], refresh);
  listen(["mention"], (id) => insert(`@${nameOf(id)} `));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !/INPUT|TEXTAREA/.test(event.target.tagName) && !find("overlays").firstChild) focusBox();
  });
}

const key = () => `${here.me}:${here.at}`;

/** The commands this person is offered here; asked again whenever roles or commands may have changed. */
function available() {
  offered ??= commands(here.at).then(leaves).catch(() => []);
  return offered;
}

let stamp = "";

function refresh() {
  if (!world.ready) return;
  if (!channel()) {
    place = "";
    hush();
    return fill(find("composer"));
  }
  const { commands: versions, guilds, bot } = world.places;
  const now = JSON.stringify([versions, guilds, bot.online, key()]);
  if (now !== stamp) offered = null;
  stamp = now;
  if (place !== key()) restore();
  else if (area) fit();
}

async function restore() {
  place = key();
  line = null;
  files = [];
  const draft = drafts.get(place);
  draw(typeof draft === "string" ? draft : "");
  if (draft?.path) {
    const leaf = (await available()).find((each) => each.path === draft.path);
    if (leaf && place === key()) enter(leaf, draft.given);
  }
}

function draw(text = "") {
  const had = find("composer").contains(document.activeElement);
  hint = el("div", { class: "composer-hint", role: "alert" });
  area = el("textarea", {
    class: "area",
    rows: "1",
    dir: "auto",
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    on: { input: typed, keydown: keyed, paste: pasted, blur: () => setTimeout(() => !line && hush(), 0) },
  });
  area.value = text;
  const count = el("span", { class: "count", "aria-hidden": "true" });
  const box = el("div", { class: "composer-box" }, attachButton(), area, count, button("➤", send, { class: "plain send", "aria-label": "Send message" }));
  fill(find("composer"), ...[chosenFiles(), box, hint].filter(Boolean));
  fit();
  if (had) area.focus();
}

/** Size the box to its words, and say what stands in the way of sending them. */
function fit() {
  if (!area?.isConnected) return;
  const where = channel();
  area.disabled = !where?.writes;
  area.placeholder = where?.writes
    ? `Message ${where.direct ? "@" : "#"}${where.name}`
    : "You do not have permission to send messages in this channel.";
  area.setAttribute("aria-label", area.placeholder);
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, innerHeight / 2)}px`;
  const left = MOST_CHARACTERS - [...area.value].length;
  const count = area.parentElement.querySelector(".count");
  count.textContent = left < COUNTED_BELOW ? String(left) : "";
  count.classList.toggle("over", left < 0);
}

function attachButton() {
  const input = el("input", { type: "file", multiple: true, hidden: true, on: { change: () => attach([...input.files]) } });
  return el("span", {}, button("+", () => input.click(), { class: "plain attach", "aria-label": "Upload a file", title: "Upload a file" }), input);
}

async function attach(added) {
  files = [...files, ...(await Promise.all(added.map(packed)))].slice(0, MOST_FILES);
  draw(area.value);
  area.focus();
}

function chosenFiles() {
  if (!files.length) return null;
  const drop = (file) => () => {
    files = files.filter((each) => each !== file);
    draw(area.value);
  };
  return el("div", { class: "chosen-files" }, files.map((each) => el("span", { class: "chosen-file" }, el("span", { dir: "auto" }, each.name), button("✕", drop(each), { class: "plain", "aria-label": `Remove ${each.name}` }))));
}

function pasted(event) {
  const added = [...(event.clipboardData?.files ?? [])];
  if (added.length) {
    event.preventDefault();
    attach(added);
  }
}

async function typed() {
  hint.textContent = "";
  fit();
  drafts.set(place, area.value);
  const text = area.value;
  if (!text.startsWith("/") || text.includes("\n")) return hush();
  const all = await available();
  if (area.value !== text || line) return;
  const whole = parse(text, all);
  if (whole) return enter(whole.leaf, whole.given);
  offer(text.slice(1).toLowerCase(), all);
}

function offer(wanted, all) {
  const within = all.filter((each) => each.shown.toLowerCase().includes(wanted) || each.path.includes(wanted));
  const starts = (each) => Number(each.shown.toLowerCase().startsWith(wanted));
  const found = within.sort((one, other) => starts(other) - starts(one) || one.shown.localeCompare(other.shown));
  const items = found.map((each) => ({ label: `/${each.shown}`, detail: each.description, value: each }));
  suggest(area, { items, label: "Commands", header: `Commands of ${world.places.bot.name}`, pick: (item) => enter(item.value, {}) });
}

function keyed(event) {
  if (event.isComposing) return;
  if (event.key === "Tab" && !event.shiftKey && area.value.startsWith("/") && takesKey(area, new KeyboardEvent("keydown", { key: "Enter" }))) {
    event.preventDefault();
    return;
  }
  if (takesKey(area, event)) return;
  if (isTyped(event, "Enter") && !event.shiftKey) {
    event.preventDefault();
    send();
  }
}

/** Begin a command: its options take the place of the words. */
function enter(leaf, given) {
  hush();
  line = new CommandLine(leaf, { given, onSend: sendCommand, onLeave: leave, onChange: () => line && drafts.set(place, line.draft()) });
  const box = el("div", { class: "composer-box of-command" }, line.node, button("➤", () => line.send(), { class: "plain send", "aria-label": "Send command" }));
  fill(find("composer"), box, line.hint);
  drafts.set(place, line.draft());
  line.focus();
}

function leave() {
  hush();
  line = null;
  drafts.set(place, "");
  draw();
  area.focus();
}

async function sendCommand(leaf, options) {
  const sent = line;
  try {
    await slash(leaf.path, options);
  } catch (error) {
    sent.hint.textContent = error.message;
    return;
  }
  if (line === sent) leave();
}

async function send() {
  const text = area.value.trim();
  const length = [...text].length;
  if (!text && !files.length) return;
  if (length > MOST_CHARACTERS) {
    hint.textContent = `Your message is too long: ${length} of ${MOST_CHARACTERS} characters. Shorten it, then send it again.`;
    return;
  }
  if (/^\/[^\s/]+/.test(text) && !files.length) {
    const whole = parse(`${text} `, await available());
    if (whole) {
      // Whoever typed a whole command faster than its options could appear has sent it all the same.
      enter(whole.leaf, whole.given);
      line.send();
    } else hint.textContent = `There is no command ${text.split(/\s/)[0]} here. Type / to see which there are.`;
    return;
  }
  await deliver(text);
}

async function deliver(text) {
  const at = place;
  try {
    await say(mentioned(text), files);
  } catch (error) {
    hint.textContent = error.message;
    return;
  }
  drafts.set(at, "");
  if (place !== at) return;
  files = [];
  draw();
  area.focus();
}

/** Turn the names of members into mentions, as the client does while one types. */
function mentioned(text) {
  const names = [...(guild()?.members ?? [])].sort((one, other) => other.name.length - one.name.length);
  return names.reduce((words, each) => words.replaceAll(`@${each.name}`, `<@${each.id}>`), text);
}

function insert(words) {
  if (line) return;
  area.value += words;
  drafts.set(place, area.value);
  fit();
  area.focus();
}

function focusBox() {
  if (line) line.focus();
  else area?.focus();
}
