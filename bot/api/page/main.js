// Starts the page: the playground at once, the reference when the description is read.

import { read } from "./api.js";
import { showClients } from "./clients.js";
import { Playground } from "./playground.js";
import { showNoReference, showReference } from "./reference.js";
import { Description } from "./schema.js";

const playground = new Playground();
playground.start();
showClients();

try {
  const description = new Description(await read("openapi.json"));
  playground.knows(description.meanings);
  showReference(description);
} catch (error) {
  showNoReference(error.message);
}

// What the address names came after the browser looked for it.
if (location.hash.length > 1) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
