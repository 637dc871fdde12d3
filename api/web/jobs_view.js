/** The view in which documents are loaded. */

import { loadingView } from "./loading.js";

const form = document.getElementById("upload");

export async function open(main, place, signal) {
  const list = document.createElement("div");
  main.append(list);
  form.hidden = false;
  main.prepend(form);
  const redraw = () => list.replaceChildren(...view.draw().home);
  const view = loadingView(form, document.getElementById("upload-problem"), redraw);
  signal.addEventListener("abort", () => {
    view.closed();
    form.hidden = true;
    document.body.append(form);
  });
  await view.load(signal);
  redraw();
  view.opened();
  return { redraw };
}
