/** The calls that show a source. */

import { call } from "../api.js";

export function passage(id, signal) {
  return call(`v1/passages/${encodeURIComponent(id)}`, { signal });
}

/** Where the words from `range.char_start` to `range.char_end` stand on the pages of their source; null: the passage. */
export function boxes(id, range, signal) {
  return call(`v1/passages/${encodeURIComponent(id)}/boxes?${new URLSearchParams(range || {})}`, { signal });
}

export function pageAddress(id, range, page, width) {
  const asked = new URLSearchParams({ ...range, page, width });
  return `v1/passages/${encodeURIComponent(id)}/page.png?${asked}`;
}
