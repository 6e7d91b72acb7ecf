// The strip on top: whom this tab acts for, and what belongs to the sandbox and not to Discord.

import { avatar } from "./avatar.js";
import { button, el, fill, find, isTyped, moveStop } from "./dom.js";
import { addressOf, be } from "./places.js";
import { here, listen, world } from "./store.js";
import { themeButton } from "./theme.js";
import { toggleGuide } from "./guide.js";

const MOST_SHOWN = 7;
let shown = "";

export function startPeople() {
  listen(["places", "person"], draw);
}

function draw() {
  const people = world.places?.people ?? [];
  const stamp = JSON.stringify([people, here.me, world.places?.guide.tries.length]);
  if (stamp === shown) return;
  shown = stamp;
  const held = find("strip").contains(document.activeElement) && document.activeElement.getAttribute("role") === "radio";
  const group = el("div", { class: "people", role: "radiogroup", "aria-label": "You are" }, shownOf(people).map(person));
  group.addEventListener("keydown", walk);
  fill(find("strip"), 
    el("span", { class: "strip-title" }, "KeyPort sandbox"),
    el("span", { class: "strip-hint", "aria-hidden": "true" }, "You are"),
    group,
    others(people),
    el("span", { class: "strip-rest" }, guideButton(), themeButton()),
  );
  const current = group.querySelector('[aria-checked="true"]');
  moveStop([...group.querySelectorAll('[role="radio"]')], current ?? group.querySelector('[role="radio"]'));
  if (held) current?.focus();
}

/** The first few, and whoever one is. */
function shownOf(people) {
  const first = people.slice(0, MOST_SHOWN);
  const mine = people.find((each) => each.id === here.me);
  return !mine || first.includes(mine) ? first : [...first.slice(0, -1), mine];
}

/** A plain list of those for whom the strip has no room. */
function others(people) {
  const rest = people.filter((each) => !shownOf(people).includes(each));
  if (!rest.length) return null;
  const options = rest.map(({ id, name, part }) => el("option", { value: id }, `${name} (${part})`));
  const first = el("option", { value: "" }, `${rest.length} more…`);
  const change = (event) => event.target.value && be(event.target.value);
  return el("select", { class: "strip-button", "aria-label": "Be somebody else", on: { change } }, first, options);
}

function person({ id, name, part }) {
  const mine = id === here.me;
  const settings = {
    class: mine ? "person mine" : "person",
    role: "radio",
    "aria-checked": String(mine),
    "aria-label": `${name}, ${part}`,
    title: `Act as ${name}. Ctrl+click opens another tab.`,
    on: { click: (event) => chosen(event, id) },
  };
  const words = el("span", { class: "person-words" }, el("span", { dir: "auto" }, name), el("small", { dir: "auto" }, part));
  return el("button", { type: "button", ...settings }, avatar(id, name, "small"), words);
}

function chosen(event, id) {
  if (event.ctrlKey || event.metaKey) window.open(addressOf(id, here.at), "_blank", "noopener");
  else be(id);
}

function walk(event) {
  const all = [...event.currentTarget.querySelectorAll('[role="radio"]')];
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    moveStop(all, next);
    next.focus();
  } else if (isTyped(event, " ", "Enter")) {
    event.preventDefault();
    event.target.click();
  }
}

function guideButton() {
  const any = world.places?.guide.tries.length;
  return any ? button("Things to try", toggleGuide, { class: "strip-button" }) : null;
}
