/** The calls of the view of how the service is. */

import { call } from "../api.js";

export function health(signal) {
  return call("v1/health", { signal });
}

/** The collections that the reader may read, with counts. */
export async function collections(signal) {
  return (await call("v1/collections", { signal })).collections;
}
