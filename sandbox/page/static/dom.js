// Building elements; data only ever becomes text nodes and plain attributes, never markup.

let last = 0;

export function uid(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** Make an element: `on` holds listeners, `dataset` data attributes, `vars` custom properties, the rest attributes. */
export function el(tag, settings = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) set(node, name, value);
  node.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  } else if (name === "dataset") {
    Object.assign(node.dataset, value);
  } else if (name === "vars") {
    for (const [property, given] of Object.entries(value)) node.style.setProperty(property, given);
  } else if (name === "value") {
    node.value = value;
  } else {
    node.setAttribute(name, value === true ? "" : value);
  }
}

/** Put these children in place of what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...el("div", {}, ...children).childNodes);
}

export function button(label, onClick, settings = {}) {
  return el("button", { type: "button", ...settings, on: { click: onClick, ...settings.on } }, label);
}

export const find = (id) => document.getElementById(id);

export const isTyped = (event, ...keys) => keys.includes(event.key) && !event.isComposing;

/** Let arrow keys walk over the children that can take focus; only one of them is in the tab order. */
export function rove(list, selector) {
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll(selector)];
    const at = all.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    moveStop(all, next);
    next.focus();
  });
}

/** Make one of the elements the only tab stop. */
export function moveStop(all, chosen) {
  for (const each of all) each.tabIndex = each === chosen ? 0 : -1;
}

/** A colour as Discord's wire has it, as CSS has it. */
export const colour = (number) => `#${Number(number).toString(16).padStart(6, "0")}`;
