/** The form that makes a key. */

import { beginningOf, button, labelled } from "../controls.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { words } from "./callers.js";

const ROLES = ["reader", "editor", "admin"];

/**
 * `create(stated)` and `cancel()` are called by the buttons. Who administers some collections only makes keys for those;
 * where there is no key yet, only an administrator's for all can be made. Gives the node and the way to draw it again.
 */
export function keyForm(who, collections, { create, cancel }) {
  const isFirst = who.via === "open";
  const node = element("form", { className: "key-form" });
  node.setAttribute("autocomplete", "off");
  const said = element("div", {});
  said.setAttribute("aria-live", "polite");
  let isAtIt = false;

  function stated() {
    const { name, role, reach, others, expires, rate, recorded } = node.elements;
    const chosen = [...node.querySelectorAll("[name=collection]:checked")].map((one) => one.value);
    const named = (others?.value || "").split(/[,，]/).map((one) => one.trim()).filter(Boolean);
    return {
      name: name.value.trim(),
      role: role.value,
      collections: reach.value === "all" ? null : [...new Set([...chosen, ...named])],
      recorded: recorded.checked,
      requests_per_minute: rate.value ? Number(rate.value) : null,
      expires_at: beginningOf(expires.value, 1) || null,
    };
  }

  async function send(event) {
    event.preventDefault();
    const wanted = stated();
    if (wanted.collections && !wanted.collections.length) {
      said.replaceChildren(element("p", { className: "doubt" }, words().nameCollections));
      return;
    }
    if (isAtIt) return;
    isAtIt = true;
    said.replaceChildren();
    try {
      await create(wanted);
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      said.replaceChildren(problemBox(problem));
    }
    isAtIt = false;
  }

  function draw() {
    const kept = node.elements.name ? { values: stated(), others: node.elements.others?.value, expires: node.elements.expires.value } : null;
    const { values = {}, others = "", expires = "" } = kept || {};
    node.replaceChildren(
      element("div", { className: "fields" }, nameField(values.name || ""), ratesAndDays(values, expires)),
      rolesField(values.role, isFirst),
      reachField(who, collections, values, others),
      checkbox("recorded", words().recordedField, values.recorded ?? true),
      said,
      element("div", { className: "buttons" }, element("button", { type: "submit", className: "main" }, words().create), button(words().cancel, cancel)),
    );
    narrow();
  }

  function narrow() {
    const those = node.querySelector(".those");
    if (those) those.hidden = node.elements.reach.value === "all";
  }

  node.addEventListener("change", narrow);
  node.addEventListener("submit", send);
  draw();
  return { node, redraw: draw };
}

function nameField(value) {
  const field = element("input", { type: "text", name: "name", value, required: true, maxLength: 200, autocomplete: "off", placeholder: words().nameHint });
  return labelled(words().nameField, field);
}

function ratesAndDays(values, expires) {
  const days = element("input", { type: "date", name: "expires", value: expires });
  const rate = element("input", { type: "number", name: "rate", min: "1", step: "1", value: values.requests_per_minute || "", inputMode: "numeric" });
  const both = document.createDocumentFragment();
  both.append(labelled(words().expiresField, days), labelled(words().rateField, rate));
  return both;
}

function rolesField(chosen, isFirst) {
  const shown = isFirst ? ["admin"] : ROLES;
  const made = shown.map((role) =>
    radio("role", role, words().roles[role], role === (chosen || shown[0]), words().roleHints[role]),
  );
  return element("fieldset", {}, element("legend", {}, words().roleField), ...made);
}

function reachField(who, collections, values, others) {
  const mayAll = who.collections === null;
  const isFirst = who.via === "open";
  const chosen = values.collections === undefined ? [] : values.collections || [];
  const isAll = mayAll && (values.collections === null || isFirst);
  const boxes = collections.map((name) => checkbox("collection", quoted("span", name, ""), chosen.includes(name), name));
  const more = element("input", { type: "text", name: "others", value: others, maxLength: 1000, autocomplete: "off" });
  const those = element("div", { className: "those" }, ...boxes, mayAll ? labelled(words().otherCollection, more) : null);
  return element(
    "fieldset",
    {},
    element("legend", {}, words().mayRead),
    mayAll ? radio("reach", "all", words().allCollections, isAll) : null,
    isFirst ? null : radio("reach", "some", words().onlyThese, !isAll),
    isFirst ? null : those,
  );
}

function radio(name, value, label, checked, hint = "") {
  const field = element("input", { type: "radio", name, value, checked });
  return element("label", { className: "check" }, field, element("span", {}, label, hint ? element("span", { className: "meta" }, ` – ${hint}`) : null));
}

function checkbox(name, label, checked, value = "yes") {
  const field = element("input", { type: "checkbox", name, value, checked });
  return element("label", { className: "check" }, field, label instanceof Node ? label : element("span", {}, label));
}
