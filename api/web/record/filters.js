/** A row of fields by which a list is narrowed. What is typed stays where the list is drawn again. */

import { button, labelled } from "../controls.js";
import { element } from "../dom.js";
import { words } from "./callers.js";

const TYPED_MS = 300;

/**
 * `fields()` gives `[name, label, node]` in the language in use; the nodes are inputs and selects. `changed(asked)` is
 * called with the value of each by name when one was changed, and a moment after the last letter typed. Gives the form
 * and the way to draw it again.
 */
export function filterForm(fields, asked, changed, signal) {
  const form = element("form", { className: "filters" });
  form.setAttribute("role", "search");
  let typing = null;
  signal.addEventListener("abort", () => clearTimeout(typing));

  const stated = () => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));

  function tell() {
    clearTimeout(typing);
    clearing.hidden = Object.values(stated()).every((value) => !value);
    changed(stated());
  }

  function clear() {
    for (const field of form.elements) if (field.name) field.value = "";
    tell();
  }

  let clearing = null;
  function draw() {
    const values = form.elements.length ? stated() : asked;
    const focused = form.contains(document.activeElement) ? document.activeElement.name : null;
    clearing = button(words().clear, clear);
    clearing.hidden = Object.values(values).every((value) => !value);
    const drawn = fields().map(([name, label, field]) => {
      field.name = name;
      field.value = values[name] || "";
      return labelled(label, field, `of-${name}`);
    });
    form.replaceChildren(...drawn, element("div", { className: "of-clear" }, clearing));
    if (focused) form.elements[focused]?.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tell();
  });
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    if (event.target.matches("input[type=search], input[type=text]")) typing = setTimeout(tell, TYPED_MS);
    else tell();
  });
  draw();
  return { form, draw };
}
