/** Small marks beside a source that no longer holds. */

import { element } from "./dom.js";
import { words } from "./words.js";

export function supersededTag() {
  return element("span", { className: "superseded" }, words().superseded);
}

export function retractedTag() {
  return element("span", { className: "superseded retracted" }, words().retracted);
}

/** What is to be said of a citation or a hit that no longer holds; nothing of one that does. */
export function standingTags({ superseded, retracted }) {
  if (retracted) return [" ", retractedTag()];
  return superseded ? [" ", supersededTag()] : [];
}
