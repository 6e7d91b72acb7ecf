// Attachments: pictures to look at, everything else to keep.

import { el } from "./dom.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

const fileUrl = (id, name) => `/page/files/${encodeURIComponent(id)}/${encodeURIComponent(name || "file")}`;

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(2)} KB` : `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}

export function attachment(file) {
  if (PICTURES.has(file.content_type)) {
    return el("img", { class: "picture", src: fileUrl(file.id, file.filename), alt: file.description ?? file.filename });
  }
  return card(file.id, file.filename, file.size);
}

/** A file with its name and size, and a way to keep it. */
export function card(id, name, bytes) {
  const settings = { class: "file-name", href: fileUrl(id, name), download: name, "aria-label": `Download ${name}` };
  const words = el("span", { class: "file-words" }, el("a", settings, name), el("small", {}, size(bytes ?? 0)));
  return el("div", { class: "file" }, el("span", { class: "file-shape", "aria-hidden": "true" }), words);
}

/** A picture of a layout; one from another place would leave this machine, so only its address is shown. */
export function media(holder, classes) {
  const { url = "", attachment_id: id } = holder.media ?? {};
  const words = holder.description ?? "";
  if (!id) return el("span", { class: `${classes} elsewhere`, title: url }, words || "Picture from another site");
  return el("img", { class: classes, src: fileUrl(id, url.split("/").at(-1)), alt: words });
}
