/** The style of a view, which is loaded when the view is opened first. */

import { element } from "./dom.js";

/** Adds the stylesheet once; resolves when it is there. Without it the page is plain, and works. */
export function styled(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = element("link", { rel: "stylesheet", href });
  const ready = new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
  });
  document.head.append(link);
  return ready;
}
