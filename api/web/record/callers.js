/** The words of the record, and who a caller is: keys by their names, others by what is known of them. */

import * as calls from "../calls/record.js";
import { element, quoted } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/record.js";

export const words = wordsOf(texts);

/** The names of keys by caller, `key:ID`; none for who may not see keys. */
export async function namesOfKeys(who, signal) {
  if (who.role !== "admin") return new Map();
  const found = await calls.keys(signal);
  return new Map(found.map((key) => [`key:${key.id}`, key.name]));
}

/** A caller for a reader, and the id where that says more. */
export function callerNode(id, names) {
  const known = { local: words().local, worker: words().worker, nobody: words().nobody }[id];
  if (known) return element("span", {}, known);
  const made = quoted("span", names.get(id) || id, "");
  made.title = id;
  return made;
}

/** Every caller that can be named, for a field to choose from: `[id, name]`. */
export function knownCallers(names) {
  return [["local", words().local], ["worker", words().worker], ["nobody", words().nobody], ...names];
}
