// The list over the message box: opened, filled anew while one types, closed when nothing fits.

import { openList } from "./listbox.js";

let list = null;
let anchor = null;

/** Show suggestions for an input; the list stays while its input does. */
export function suggest(input, { items, pick, header, label, empty = null, calm = false }) {
  if (!items.length && empty === null) return hush();
  hush();
  anchor = input;
  list = openList(input, { items, label, header, calm, empty: empty ?? "", pick, onClose: () => (list = null) });
  const box = input.closest(".composer-box");
  if (!box) return;
  const { left, width, top } = box.getBoundingClientRect();
  Object.assign(list.frame.style, { left: `${left}px`, width: `${width}px`, top: "auto", bottom: `${innerHeight - top + 8}px` });
  list.frame.style.maxHeight = `${Math.min(380, top - 16)}px`;
}

export function hush() {
  list?.close();
  list = null;
}

export const suggesting = (input) => list !== null && anchor === input;

/** The item that Enter or Tab would take. */
export const highlighted = (input) => (suggesting(input) ? list.active() : undefined);

/** Pass a key to the list; true if it was the list's. */
export const takesKey = (input, event) => suggesting(input) && list.key(event);
