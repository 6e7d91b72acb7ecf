// Light and dark: as the system says, unless the reader says otherwise.

import { button } from "./dom.js";
import { wish } from "./session.js";

const system = matchMedia("(prefers-color-scheme: dark)");

const current = () => wish.get("theme") ?? (system.matches ? "dark" : "light");

export function startTheme() {
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
}

function apply() {
  document.documentElement.dataset.theme = current();
  for (const each of document.querySelectorAll(".theme-button")) each.replaceChildren(words());
}

const words = () => (current() === "dark" ? "Light" : "Dark");

export function themeButton() {
  const toggle = () => {
    wish.set("theme", current() === "dark" ? "light" : "dark");
    apply();
  };
  return button(words(), toggle, { class: "strip-button theme-button", title: "Switch between light and dark" });
}
