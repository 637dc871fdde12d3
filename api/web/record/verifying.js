/** Has the service read the audit record through, and says whether it is whole. */

import * as calls from "../calls/record.js";
import { button, labelled } from "../controls.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { copyButton } from "./copying.js";
import { words } from "./callers.js";

/** Gives the node and the way to draw it again. */
export function verifying(signal) {
  const node = element("details", { className: "verifying" });
  const said = element("div", {});
  said.setAttribute("aria-live", "polite");
  const head = element("input", { type: "text", autocomplete: "off", maxLength: 200, spellcheck: false });
  let found = null;
  let failed = null;
  let isAtIt = false;

  async function check() {
    isAtIt = true;
    found = failed = null;
    draw();
    try {
      found = await calls.verify(head.value.trim(), signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.kind === undefined) throw problem;
      failed = problem;
    }
    isAtIt = false;
    draw();
  }

  function draw() {
    const going = button(words().verify, check, "main");
    going.disabled = isAtIt;
    node.replaceChildren(
      element("summary", {}, words().verifyTitle),
      element("p", { className: "meta" }, words().verifyHint),
      element("div", { className: "in-line" }, labelled(words().headField, head), going),
      said,
    );
    said.replaceChildren(
      ...(isAtIt ? [element("p", { className: "meta" }, words().verifying, "…")] : []),
      ...(failed ? [problemBox(failed)] : []),
      ...(found ? [outcome(found)] : []),
    );
  }

  draw();
  return { node, redraw: draw };
}

function outcome({ ok, problems, total, head, seconds }) {
  const rows = Number((head || "0").split(":")[0]);
  const verdict = ok ? "identical" : "different";
  const title = ok ? words().whole : words().broken(total);
  const hint = ok ? words().wholeHint(rows, seconds) : words().brokenHint;
  const items = problems.map(({ what, where, message }) => quoted("li", `${what} ${where}: ${message}`, "en"));
  return element(
    "div",
    { className: `box outcome ${verdict}` },
    element("p", { className: "box-title" }, title),
    element("p", {}, hint),
    items.length ? element("ul", { className: "plain" }, ...items) : null,
    ok && head ? element("p", { className: "meta" }, words().headTold) : null,
    ok && head ? element("p", { className: "to-copy" }, element("code", {}, head), copyButton(head)) : null,
  );
}
