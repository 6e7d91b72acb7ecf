// Select menus of every kind, in messages and in forms.

import { el, isTyped } from "./dom.js";
import { closeList, openList } from "./listbox.js";
import { TARGETS, fitting } from "./targets.js";

const KINDS = { 5: "user", 6: "role", 7: "mentionable", 8: "channel" };

function itemsOf(select) {
  if (select.type !== 3) return TARGETS[KINDS[select.type]]();
  return select.options.map((each) => ({
    value: each.value,
    label: each.label,
    detail: each.description,
    icon: each.emoji ? el("span", { class: "emoji" }, each.emoji.name) : null,
  }));
}

/** A menu; `chosen` gets the values, at once where one is chosen and on closing where several may be. */
export function selectMenu(select, { chosen, values, disabled = false, label, least = select.min_values ?? 1 }) {
  const most = select.max_values ?? 1;
  let current = values ?? defaults(select);
  const face = el("button", {
    type: "button",
    class: "select",
    role: "combobox",
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    "aria-label": label ?? select.placeholder ?? "Make a selection",
    disabled: disabled || Boolean(select.disabled),
    dataset: { key: select.custom_id },
    on: { click: toggle, keydown: (event) => isTyped(event, "ArrowDown", "ArrowUp") && open(event) },
  });
  show();

  function show() {
    const known = new Map(itemsOf(select).map((each) => [each.value, each]));
    const shown = current.map((each) => known.get(each)).filter(Boolean);
    const words = shown.map((each) => el("span", { class: most > 1 ? "picked" : "one" }, each.label));
    const none = select.placeholder || "Make a selection";
    face.replaceChildren(
      el("span", { class: shown.length ? "select-words" : "select-words none" }, shown.length ? words : none),
      el("span", { class: "chevron", "aria-hidden": "true" }),
    );
  }

  function toggle(event) {
    if (face.getAttribute("aria-expanded") === "true") closeList();
    else open(event);
  }

  function open(event) {
    event.preventDefault();
    const before = current.join();
    const search = el("input", { class: "search", placeholder: "Search", "aria-label": "Search", role: "combobox" });
    const shown = () => fitting(itemsOf(select), search.value).map((each) => ({ ...each, chosen: current.includes(each.value) }));
    const list = openList(face, {
      items: shown(),
      label: face.getAttribute("aria-label"),
      header: search,
      many: most > 1,
      pick(item) {
        if (most === 1) {
          // Where nothing is an answer too, what is chosen is taken back by choosing it again.
          current = least === 0 && current.includes(item.value) ? [] : [item.value];
          list.close();
        } else {
          current = toggled(current, item.value, most);
          list.show(shown(), list.at());
        }
        show();
      },
      onClose() {
        if (current.join() !== before && current.length >= least) chosen(current);
        else if (current.join() !== before) chosen(current, { few: true });
        if (face.isConnected) face.focus();
      },
    });
    search.addEventListener("input", () => list.show(shown()));
    search.addEventListener("keydown", (pressed) => {
      if (!list.key(pressed) && pressed.key === "Tab") list.close();
    });
    search.focus();
  }

  return face;
}

function toggled(values, value, most) {
  if (values.includes(value)) return values.filter((each) => each !== value);
  return values.length < most ? [...values, value] : values;
}

export function defaults(select) {
  const preset = (select.options ?? []).filter((each) => each.default).map((each) => each.value);
  return preset.length ? preset : (select.default_values ?? []).map((each) => each.id);
}
