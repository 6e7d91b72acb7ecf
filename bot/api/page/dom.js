// Building elements; data only ever becomes text nodes and plain attributes, never markup.

/** Make an element: `on` holds listeners, the rest attributes; children may be nested, null or false. */
export function el(tag, settings = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) set(node, name, value);
  node.append(...present(children));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  } else {
    node.setAttribute(name, value === true ? "" : value);
  }
}

function present(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);
}

/** Put these children in place of what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
}

export const find = (id) => document.getElementById(id);

/** Text with `code` in it, as the description writes it. */
export function rich(text) {
  return String(text)
    .split(/(`[^`]+`)/)
    .map((part) => (part.length > 2 && part.startsWith("`") ? el("code", {}, part.slice(1, -1)) : part));
}

/** A line for those who hear the page. */
export function announce(words) {
  find("announcer").textContent = words;
}

/** A button that copies what `read` gives, and says so. */
export function copies(node, read, what) {
  node.addEventListener("click", async () => {
    let done = false;
    try {
      done = await copy(await read());
    } catch {
      done = false;
    }
    const words = done ? "Copied" : "Not copied";
    announce(done ? `Copied ${what}.` : `The browser did not let the page copy ${what}; select it and copy it yourself.`);
    const before = node.dataset.label ?? node.textContent;
    node.dataset.label = before;
    node.textContent = words;
    setTimeout(() => { node.textContent = before; }, 1600);
  });
  return node;
}

async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: the old way may still be open.
    }
  }
  return copyBySelection(text);
}

/** Over plain http elsewhere than on this machine, browsers know only this way. */
function copyBySelection(text) {
  const back = document.activeElement;
  const area = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  back?.focus();
  return done;
}
