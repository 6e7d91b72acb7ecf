// What this tab remembers across a reload: its person, drafts, what it opened, dismissed and has read.

function read(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the memory across a reload, nothing else.
  }
}

/** A set of ids that survives a reload; the oldest go first when there are too many. */
function kept(name, most) {
  const ids = new Set(read(name, []));
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      if (ids.size > most) ids.delete(ids.values().next().value);
      write(name, [...ids]);
    },
    clear() {
      ids.clear();
      write(name, []);
    },
  };
}

export const own = kept("own-interactions", 200);
export const dismissed = kept("dismissed", 2000);
export const tried = kept("tried", 20);

/** Text by key that survives a reload. */
function shelf(name) {
  const all = read(name, {});
  return {
    get: (key) => all[key],
    set(key, value) {
      if (value === undefined || value === null || value === "") delete all[key];
      else all[key] = value;
      write(name, all);
    },
    clear() {
      for (const key of Object.keys(all)) delete all[key];
      write(name, all);
    },
  };
}

export const drafts = shelf("drafts");
export const forms = shelf("forms");
export const lastRead = shelf("last-read");
export const marks = shelf("marks");
export const begun = shelf("begun");

/** Forget everything that belongs to a sandbox that is gone. */
export function forget() {
  for (const each of [own, dismissed, tried, begun, drafts, forms, lastRead]) each.clear();
}

const wishes = new Map(); // for where the browser keeps nothing

/** What the reader wishes for in every tab; where storage is full or forbidden, in this one until it closes. */
export const wish = {
  get(name) {
    try {
      return localStorage.getItem(name) ?? wishes.get(name) ?? null;
    } catch {
      return wishes.get(name) ?? null;
    }
  },
  set(name, value) {
    wishes.set(name, value);
    try {
      localStorage.setItem(name, value);
    } catch {
      // It is kept above.
    }
  },
};
