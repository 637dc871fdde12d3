/** A dialog that asks before something is done. */

import { button } from "./controls.js";
import { element } from "./dom.js";
import { problemBox } from "./problem.js";
import { words } from "./words.js";

/**
 * `content` are its nodes, `label()` what its button says, `act()` does it; what that throws is shown. Where it is a
 * `danger`, the button to cancel has the focus, so that nobody confirms it by one key too many.
 */
export function confirmation({ title, content, label, danger = false, act }) {
  const said = element("div", { "aria-live": "polite" });
  const go = element("button", { type: "submit", className: danger ? "main danger" : "main" }, label());
  const cancel = button(words().cancel, () => dialog.close());
  const form = element(
    "form",
    {},
    element("h2", { dir: "auto" }, title),
    ...content,
    said,
    element("div", { className: "dialog-buttons" }, go, cancel),
  );
  const dialog = element("dialog", { className: "dialog", "aria-label": title }, form);
  form.addEventListener("input", () => (go.textContent = label()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    said.replaceChildren(element("p", { className: "meta" }, words().working));
    try {
      await act();
      dialog.close();
    } catch (failure) {
      go.disabled = false;
      if (failure.kind === undefined) throw failure;
      said.replaceChildren(problemBox(failure));
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  if (danger) cancel.focus();
}
