/**
 * The record: stored answers and their replay, and, for administrators, the audit record and the keys. Each is a part
 * of its own under `record/`, that exports `open(region, { rest, query }, context)` and gives `{ redraw }`. `context`
 * has `who`, the session, and `signal`, which aborts when the part is left.
 */

import { whoIsThere } from "./calls/record.js";
import { element } from "./dom.js";
import { problemBox } from "./problem.js";
import { words } from "./record/callers.js";
import { styled } from "./styled.js";

const PARTS = {
  answers: () => import("./record/answers.js"),
  answer: () => import("./record/answer.js"),
  audit: () => import("./record/audit.js"),
  keys: () => import("./record/keys.js"),
};
const TABS = [
  ["answers", "#/record", () => true],
  ["audit", "#/record/audit", (who) => who.role === "admin" && who.collections === null],
  ["keys", "#/record/keys", (who) => who.role === "admin"],
];

/** Opens at the answers (`""`), one of them (`/answers/ID`), the audit record (`/audit`) or the keys (`/keys`). */
export async function open(main, place, signal) {
  const [who] = await Promise.all([whoIsThere(signal), styled("record.css")]);
  const heading = element("h2", { className: "visually-hidden" });
  const tabs = element("nav", { className: "tabs" });
  const region = element("div", { className: "record" });
  main.append(heading, tabs, region);
  let current = { name: null, part: {}, turn: new AbortController() };
  signal.addEventListener("abort", () => current.turn.abort());

  function drawShell() {
    heading.textContent = words().title;
    tabs.setAttribute("aria-label", words().partsLabel);
    const shown = current.name === "answer" ? "answers" : current.name;
    const seen = TABS.filter(([, , isFor]) => isFor(who));
    tabs.hidden = seen.length < 2;
    tabs.replaceChildren(
      ...seen.map(([name, href]) => {
        const link = element("a", { href }, words().parts[name]);
        if (name === shown) link.setAttribute("aria-current", "page");
        return link;
      }),
    );
  }

  async function follow(where) {
    current.turn.abort();
    const { name, rest, query } = partOf(where);
    const opened = { name, part: {}, turn: new AbortController(), isOld: false };
    current = opened;
    drawShell();
    const content = element("div", { className: "part" });
    region.replaceChildren(content);
    try {
      const { open: openPart } = await PARTS[name]();
      if (opened.turn.signal.aborted) return;
      opened.part = await openPart(content, { rest, query }, { who, signal: opened.turn.signal });
      if (opened.isOld) opened.part.redraw?.();
    } catch (problem) {
      if (opened.turn.signal.aborted || problem.name === "AbortError") return;
      if (problem.kind === undefined) throw problem;
      content.replaceChildren(problemBox(problem));
      opened.part = { redraw: () => content.replaceChildren(problemBox(problem)) };
    }
  }

  await follow(place);
  return {
    follow,
    close: () => current.turn.abort(),
    redraw() {
      drawShell();
      current.isOld = true;
      current.part.redraw?.();
    },
  };
}

/** The part that a place names, what of the place follows it, and what it asks for. */
function partOf(place) {
  const [path, asked] = place.split("?", 2);
  const [, name, rest] = /^\/([a-z]+)(?:\/(.+))?$/.exec(path) || [];
  const query = new URLSearchParams(asked || "");
  if (name === "answers" && rest) return { name: "answer", rest: decoded(rest), query };
  return { name: name in PARTS && name !== "answer" ? name : "answers", rest: "", query };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
