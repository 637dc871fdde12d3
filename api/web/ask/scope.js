/** What is searched: collections, kinds, languages and dates. Chosen in a fold below the question, and remembered. */

import { element, quoted } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);
const REMEMBERED_AS = "taiyi-rag.scope";
const NOTHING = { collections: [], languages: [], kinds: [], from: "", to: "", asOf: "", mode: "" };
const YEAR = /^\d{4}$/;

/** What a scope adds to the body of a question. */
export function asked(scope) {
  const { collections, languages, kinds, from, to, asOf, mode } = scope;
  const published = { ...(YEAR.test(from) && { gte: from }), ...(YEAR.test(to) && { lte: to }) };
  const filters = {
    ...(languages.length && { language: languages }),
    ...(kinds.length && { publication_type: kinds }),
    ...(Object.keys(published).length && { published }),
  };
  return {
    ...(collections.length && { collections }),
    ...(Object.keys(filters).length && { filters }),
    ...(asOf && { as_of: asOf }),
    ...(mode && { mode }),
  };
}

/** The same for all views that ask. */
let scope = remembered();

/**
 * Takes over `fold`, a `details`. `set(known)` says which collections there are and whether a model can be chosen; where
 * not `offersModes`, how it is answered is no choice.
 */
export function scopeControl(fold, offersModes = true) {
  let known = { collections: [], hasModel: false };

  function change(changed) {
    scope = { ...scope, ...changed };
    remember(scope);
    drawSummary();
  }

  function set(found) {
    known = found;
    // of one collection there is nothing to choose, and those that come later are not to be left out
    const names = known.collections.length > 1 ? known.collections.map(({ name }) => name) : [];
    change({
      collections: scope.collections.filter((name) => names.includes(name)),
      mode: known.hasModel ? scope.mode : "",
    });
    draw();
  }

  function draw() {
    const wasOpen = fold.open;
    fold.replaceChildren(summary(), element("div", { className: "choices" }, ...choices()));
    fold.open = wasOpen;
  }

  function summary() {
    return element("summary", {}, `${words().scope}: `, element("span", { className: "chosen" }, said()));
  }

  function drawSummary() {
    fold.querySelector(".chosen")?.replaceChildren(said());
  }

  function said() {
    const { collections, languages, kinds, from, to, asOf, mode } = scope;
    const parts = [
      collections.length ? words().inCollections(collections) : "",
      languages.map((one) => words().languages[one]).join(words().listComma),
      kinds.map((one) => words().kinds[one]).join(words().listComma),
      YEAR.test(from) || YEAR.test(to) ? words().publishedBetween(from, to) : "",
      asOf ? words().asOfDay(asOf) : "",
      offersModes && mode === "extractive" ? words().quotesOnly : "",
    ].filter(Boolean);
    return parts.join(" · ") || words().scopeAll;
  }

  function choices() {
    return [
      offersModes && known.hasModel ? group(words().answeredWith, Object.keys(texts.en.modes).map(modeChoice)) : null,
      known.collections.length > 1
        ? group(words().scopeCollections, known.collections.map(({ name }) => box("collections", name, quoted("span", name, ""))))
        : null,
      group(words().scopeLanguages, Object.keys(texts.en.languages).map((one) => box("languages", one, words().languages[one]))),
      group(
        words().scopeKinds,
        Object.keys(texts.en.kinds).map((one) => box("kinds", one, words().kinds[one])),
        element("p", { className: "meta" }, words().scopeKindsHint),
      ),
      group(words().scopePublished, [year("from"), year("to")]),
      group(words().asOf, [day()]),
      element("button", { type: "button", className: "quiet", onclick: reset }, words().scopeReset),
    ].filter(Boolean);
  }

  /** One collection and all that is in it; how it is answered stays as it was chosen. */
  function only(collection) {
    change({ ...NOTHING, mode: scope.mode, collections: [collection] });
    draw();
  }

  function reset() {
    change(NOTHING);
    draw();
    fold.querySelector("summary").focus();
  }

  /** A box to tick for one value of a list. */
  function box(list, value, label) {
    const onchange = ({ target }) =>
      change({ [list]: target.checked ? [...scope[list], value] : scope[list].filter((one) => one !== value) });
    const input = element("input", { type: "checkbox", checked: scope[list].includes(value), onchange });
    return element("label", { className: "choice" }, input, " ", label);
  }

  function year(name) {
    const input = element("input", {
      type: "text",
      inputMode: "numeric",
      pattern: "\\d{4}",
      maxLength: 4,
      size: 5,
      placeholder: words().year,
      value: scope[name],
      oninput: ({ target }) => change({ [name]: target.value.trim() }),
    });
    return element("label", { className: "choice" }, `${words()[name]} `, input);
  }

  function day() {
    const onchange = ({ target }) => change({ asOf: target.value });
    return element("input", { type: "date", value: scope.asOf, onchange, "aria-label": words().asOf });
  }

  function modeChoice(mode) {
    const checked = (scope.mode || "grounded") === mode;
    const onchange = () => change({ mode: mode === "grounded" ? "" : mode });
    const input = element("input", { type: "radio", name: "mode", checked, onchange });
    return element("label", { className: "choice" }, input, " ", words().modes[mode]);
  }

  fold.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !fold.open) return;
    fold.open = false;
    fold.querySelector("summary").focus();
  });

  return { set, only, redraw: draw, asked: () => asked(offersModes ? scope : { ...scope, mode: "" }) };
}

function group(title, controls, hint = null) {
  return element(
    "fieldset",
    { className: controls.length > 3 ? "many" : "" },
    element("legend", {}, title),
    element("div", { className: "controls" }, ...controls),
    hint,
  );
}

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(REMEMBERED_AS)) || {};
    const scope = Object.entries(NOTHING).map(([name, none]) => [name, isLike(kept[name], none) ? kept[name] : none]);
    return Object.fromEntries(scope);
  } catch {
    return NOTHING; // nothing was kept, or it cannot be read: all documents
  }
}

function isLike(value, none) {
  if (!Array.isArray(none)) return typeof value === "string";
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function remember(scope) {
  try {
    localStorage.setItem(REMEMBERED_AS, JSON.stringify(scope));
  } catch {
    // Where the browser keeps nothing, the choice lasts as long as the page.
  }
}
