/** A button that copies a text, and says that it did. */

import { button } from "../controls.js";
import { words } from "./callers.js";

const SAID_MS = 2000;

/** Where the browser lets no script copy (over http from another machine), what `source` holds is selected instead. */
export function copyButton(text, source = null) {
  const made = button(words().copy, async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (source) source.select();
      return;
    }
    made.textContent = words().copied;
    setTimeout(() => (made.textContent = words().copy), SAID_MS);
  });
  return made;
}
