// A list to choose from with arrow keys, under or over what it belongs to.

import { el, find, uid } from "./dom.js";

let open = null;

/** Close whichever list is open. */
export function closeList() {
  open?.close();
}

/**
 * Open a list beside an element. The keyboard stays where it is; whoever holds it passes keys to `key`.
 * Items: {label, detail?, icon?, value, chosen?}; `pick` gets the item; `many` keeps the list open; `calm`
 * highlights nothing before an arrow key does, so that Enter does not choose.
 */
export function openList(anchor, { items, pick, label, header = null, empty = "No results", many = false, calm = false, onClose }) {
  closeList();
  const id = uid("list");
  const list = el("div", { class: "options", role: "listbox", id, "aria-label": label });
  if (many) list.setAttribute("aria-multiselectable", "true");
  const frame = el("div", { class: "popup" }, header && el("div", { class: "popup-header" }, header), list);
  let rows = [];
  let at = -1;

  function show(shown, start = 0) {
    rows = shown;
    list.replaceChildren(...(rows.length ? rows.map(row) : [el("div", { class: "nothing" }, empty)]));
    move(Math.min(start, rows.length - 1));
  }

  function row(item, index) {
    const settings = {
      class: "option",
      role: "option",
      id: `${id}-${index}`,
      "aria-selected": String(Boolean(item.chosen)),
      on: {
        mousedown: (event) => event.preventDefault(),
        mousemove: () => at !== index && move(index),
        click: () => pick(item),
      },
    };
    const words = el("span", { class: "option-words" }, el("span", { class: "option-label", dir: "auto" }, item.label));
    if (item.detail) words.append(el("span", { class: "option-detail", dir: "auto" }, item.detail));
    return el("div", settings, item.icon, words, item.chosen && el("span", { class: "tick", "aria-hidden": "true" }, "✓"));
  }

  function move(to) {
    list.children[at]?.classList.remove("active");
    at = to;
    const now = rows[at] ? list.children[at] : null;
    now?.classList.add("active");
    now?.scrollIntoView({ block: "nearest" });
    if (now) anchor.setAttribute("aria-activedescendant", now.id);
    else anchor.removeAttribute("aria-activedescendant");
  }

  function close() {
    if (open !== self) return;
    open = null;
    frame.remove();
    anchor.setAttribute("aria-expanded", "false");
    anchor.removeAttribute("aria-activedescendant");
    anchor.removeAttribute("aria-controls");
    document.removeEventListener("mousedown", away, true);
    removeEventListener("resize", close);
    onClose?.();
  }

  function away(event) {
    if (!frame.contains(event.target) && !anchor.contains(event.target)) close();
  }

  function key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step && rows.length) {
      const from = at < 0 && step < 0 ? 0 : at;
      const to = Math.abs(step) === 1 ? (from + step + rows.length) % rows.length : from + step;
      move(Math.max(0, Math.min(rows.length - 1, to)));
    } else if (event.key === "Enter" && rows[at]) pick(rows[at]);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  const self = { show, close, key, frame, place: () => placeBy(anchor, frame), active: () => rows[at], at: () => at };
  open = self;
  find("overlays").append(frame);
  anchor.setAttribute("aria-expanded", "true");
  anchor.setAttribute("aria-controls", id);
  show(items, calm ? -1 : Math.max(0, items.findIndex((each) => each.chosen)));
  placeBy(anchor, frame);
  document.addEventListener("mousedown", away, true);
  addEventListener("resize", close);
  return self;
}

/** Put something under an element, or over it where there is more room. */
function placeBy(anchor, frame, width = null) {
  const box = anchor.getBoundingClientRect();
  const wide = width ?? Math.max(box.width, 220);
  const below = innerHeight - box.bottom - 12;
  const over = below < 220 && box.top > below;
  frame.style.width = `${Math.min(wide, innerWidth - 16)}px`;
  frame.style.left = `${Math.max(8, Math.min(box.left, innerWidth - wide - 8))}px`;
  frame.style.maxHeight = `${Math.max(120, Math.min(340, over ? box.top - 12 : below))}px`;
  frame.style.top = over ? "auto" : `${box.bottom + 4}px`;
  frame.style.bottom = over ? `${innerHeight - box.top + 4}px` : "auto";
}
