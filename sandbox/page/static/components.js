// What hangs on a message: rows, buttons, menus, and the layouts of Components V2.

import { choose, press } from "./acts.js";
import { button, colour, el } from "./dom.js";
import { card, media } from "./files.js";
import { markdown } from "./markdown.js";
import { refused, toast } from "./notices.js";
import { selectMenu } from "./select.js";
import { world } from "./store.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "leads", 6: "premium" };

export function components(message) {
  return message.components.map((each) => component(each, message));
}

function component(found, message) {
  return (SHOWN[found.type] ?? unknown)(found, message);
}

const inner = (found, message) => (found.components ?? []).map((each) => component(each, message));

const SHOWN = {
  1: (found, message) => el("div", { class: "row" }, inner(found, message)),
  2: pressable,
  3: menu,
  5: menu,
  6: menu,
  7: menu,
  8: menu,
  9: (found, message) =>
    el(
      "div",
      { class: "section" },
      el("div", { class: "section-texts" }, inner(found, message)),
      component(found.accessory, message),
    ),
  10: (found) => el("div", { class: "text" }, markdown(found.content)),
  11: (found) => media(found, "thumbnail"),
  12: (found) => el("div", { class: "gallery" }, found.items.map((each) => media(each, "picture"))),
  13: (found) => card(found.file.attachment_id, found.name ?? "file", found.size),
  14: (found) => {
    const line = found.divider === false ? "" : "line";
    return el("div", { class: `separator ${line} ${found.spacing === 2 ? "large" : ""}`, role: "separator" });
  },
  17: (found, message) => {
    const accent = found.accent_color ?? null;
    const vars = accent === null ? {} : { "--accent": colour(accent) };
    return el("div", { class: accent === null ? "container" : "container accented", vars }, inner(found, message));
  },
};

const unknown = (found) => el("div", { class: "unknown" }, `A component of type ${found.type}`);

/** Whether the person waits for an answer to this button or menu. */
function pending(message, id) {
  const waiting = [...world.interactions.values()].filter((each) => each.status === "waiting");
  return waiting.some((each) => each.source === message.id && each.custom_id === id);
}

function pressable(found, message) {
  const words = [
    found.emoji && el("span", { class: "emoji" }, found.emoji.name ?? ""),
    found.label && el("span", { dir: "auto" }, found.label),
    found.style === 5 && el("span", { class: "leads-away", "aria-hidden": "true" }, "↗\ufe0e"),
  ];
  const busy = pending(message, found.custom_id);
  const settings = {
    class: `button ${STYLES[found.style] ?? "secondary"} ${busy ? "busy" : ""}`,
    disabled: Boolean(found.disabled) || busy,
    dataset: { key: found.custom_id ?? found.url ?? "" },
    "aria-label": found.label ?? found.emoji?.name ?? null,
  };
  return button(words, () => pressed(found, message), settings);
}

function pressed(found, message) {
  // Nothing leaves this machine: an address is told, not followed.
  if (found.url) toast(`This button leads to ${found.url}`);
  else refused(press(message, found.custom_id));
}

function menu(found, message) {
  const chosen = (values, { few = false } = {}) => {
    if (few) toast(`Choose at least ${found.min_values}.`);
    else refused(choose(message, found.custom_id, values));
  };
  const label = found.placeholder || "Make a selection";
  return selectMenu(found, { chosen, label, disabled: pending(message, found.custom_id) });
}
