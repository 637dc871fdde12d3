/** One question in two panes: the field, the wait, the comparison or why there is none. */

import { Problem } from "../api.js";
import { copied } from "../ask/copying.js";
import { scopeControl } from "../ask/scope.js";
import { collections, hasLanguageModel } from "../calls/ask.js";
import { compare, storedAnswer, storedComparison } from "../calls/compare.js";
import { element } from "../dom.js";
import { problemBox } from "../problem.js";
import { closeSource, openSource } from "../source.js";
import { words as shared, wordsOf } from "../words.js";
import * as texts from "../words/compare.js";
import { comparisonNodes, comparisonText } from "./comparison.js";

const words = wordsOf(texts);
const EXAMPLES = [
  ["en", "What is the target serum urate in gout?"],
  ["zh", "哮喘第1级治疗的首选方案是什么？"],
];

/** Draws into `region`; gives `follow(id)`, `take(answerId)`, `redraw()` and `close()`. */
export function openQuestion(region) {
  const field = element("textarea", { id: "to-compare", rows: 1, maxLength: 4000, autocomplete: "off", enterKeyHint: "go" });
  const label = element("label", { htmlFor: field.id });
  const button = element("button", { type: "submit" });
  const hint = element("p", { className: "notice compare-hint", id: "to-compare-hint" });
  field.setAttribute("aria-describedby", hint.id);
  const fold = element("details", { className: "scope" });
  const scope = scopeControl(fold, false);
  const form = element("form", { className: "compare-form" }, label, element("div", { className: "field" }, field, button));
  const told = element("div", { "aria-live": "polite", className: "told-line" });
  const result = element("section", { className: "comparison" });
  region.replaceChildren(form, fold, hint, told, result);

  let turn = new AbortController();
  let isBusy = false;
  let clock = null;
  let draw = () => [];

  function drawForm() {
    label.textContent = words().label;
    hint.textContent = `${words().hint} ${shared().notice}`;
    button.textContent = isBusy ? words().stop : words().compare;
    form.classList.toggle("busy-form", isBusy);
  }

  function show(drawNodes) {
    draw = drawNodes;
    result.replaceChildren(...draw());
  }

  function say(...nodes) {
    told.replaceChildren(...nodes);
  }

  /** Shows what `load` gives. A later turn overtakes an earlier one. Gives null where nothing was loaded. */
  async function take(load, waits) {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    closeSource();
    say();
    begin(waits);
    try {
      const loaded = await load(signal);
      if (signal.aborted) return null;
      end();
      const { citations } = loaded.grounded;
      show(() => comparisonNodes(loaded, (place) => openSource(place, "marker" in place ? citations : []), copy));
      return loaded;
    } catch (problem) {
      if (signal.aborted) return null;
      end();
      if (!(problem instanceof Problem)) throw problem;
      show(() => [problem.status === 503 ? noModel(problem.detail) : problemBox(problem)]);
      return null;
    }
  }

  function begin(waits) {
    const started = Date.now();
    isBusy = waits;
    drawForm();
    const seconds = element("span", { className: "seconds", "aria-hidden": "true" });
    const tick = () => {
      seconds.textContent = words().seconds(Math.round((Date.now() - started) / 1000));
    };
    clearInterval(clock);
    clock = waits ? setInterval(tick, 1000) : null;
    show(() => busyNodes(seconds, waits));
  }

  function end() {
    clearInterval(clock);
    isBusy = false;
    drawForm();
  }

  async function send() {
    const asked = field.value.trim();
    if (!asked) {
      field.focus();
      return;
    }
    const found = await take((signal) => compare({ question: asked, ...scope.asked() }, signal), true);
    if (!found) return;
    if (field.value.trim() === asked) field.value = found.question; // without what was masked in it
    if (found.grounded.recorded && found.ungrounded.recorded) {
      history.pushState(null, "", `#/compare/${encodeURIComponent(found.id)}`);
    }
  }

  function stop() {
    turn.abort();
    end();
    say(element("p", { className: "meta" }, words().stopped));
    show(() => []);
    field.focus();
  }

  async function copy(comparison) {
    const text = comparisonText(comparison);
    if (await copied(text)) {
      say(element("p", { className: "meta" }, words().copied));
      return;
    }
    const byHand = element("textarea", { className: "to-copy", readOnly: true, rows: 8, value: text });
    byHand.setAttribute("aria-label", words().notCopied);
    say(element("p", { className: "meta" }, words().notCopied), byHand);
    byHand.select();
  }

  async function follow(id) {
    if (id) {
      const found = await take((signal) => storedComparison(id, signal), false);
      if (found) field.value = found.question;
      return;
    }
    turn.abort();
    end();
    say();
    field.value = "";
    turn = new AbortController();
    const { signal } = turn;
    show(() => []);
    const [hasModel, found] = await Promise.all([hasLanguageModel(signal), collections(signal)]);
    scope.set({ collections: found, hasModel });
    if (signal.aborted || isBusy) return;
    show(() => (hasModel ? exampleNodes(sendExample) : [noModel("")]));
  }

  /** Puts the question of a stored answer into the field; nothing is asked before the reader says so. */
  async function takeQuestion(answerId) {
    await follow("");
    const { signal } = turn;
    const { question } = await storedAnswer(answerId, signal);
    if (signal.aborted || field.value) return;
    field.value = question;
    button.focus();
  }

  function sendExample(question) {
    field.value = question;
    send();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isBusy) stop();
    else send();
  });
  field.addEventListener("keydown", (event) => {
    // Enter that accepts a word from an input method is not a question; Safari reports it as key 229 only.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (!isBusy) send();
  });

  drawForm();
  scope.redraw();
  return {
    follow,
    take: takeQuestion,
    redraw() {
      drawForm();
      scope.redraw();
      say();
      show(draw);
    },
    close() {
      turn.abort();
      clearInterval(clock);
    },
  };
}

function busyNodes(seconds, waits) {
  const lines = () => [1, 2, 3].map(() => element("div", { className: "line" }));
  const pane = (side) => element("div", { className: "busy" }, element("h3", {}, words().sides[side]), ...lines());
  return [
    element("p", { className: "meta", role: "status" }, waits ? `${words().busy} ` : shared().loading, waits ? seconds : null),
    element("div", { className: "panes-busy" }, pane("grounded"), pane("ungrounded")),
  ];
}

/** Why nothing can be compared, and what whoever runs the service starts. */
function noModel(said) {
  const steps = words().noModelSteps.map(([what, command]) =>
    element("li", {}, what, element("pre", {}, element("code", {}, command))),
  );
  return element(
    "div",
    { className: "box no-model" },
    element("p", { className: "box-title" }, words().noModelTitle),
    element("p", {}, words().noModel),
    element("ol", {}, ...steps),
    element("p", {}, element("a", { href: "#/" }, words().askInstead)),
    said ? element("p", { className: "meta" }, words().noModelSaid, " ", element("span", { lang: "en" }, said)) : null,
  );
}

function exampleNodes(ask) {
  const examples = EXAMPLES.map(([lang, question]) =>
    element("li", {}, element("button", { type: "button", className: "example", lang, onclick: () => ask(question) }, question)),
  );
  return [element("h2", {}, words().examples), element("ul", { className: "examples" }, ...examples)];
}
