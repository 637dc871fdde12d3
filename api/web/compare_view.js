/** The comparison: one question with evidence and without it, and, for administrators, runs over question sets. */

import { seesRuns } from "./calls/compare.js";
import { openQuestion } from "./compare/question.js";
import { element } from "./dom.js";
import { closeSource } from "./source.js";
import { styled } from "./styled.js";
import { wordsOf } from "./words.js";
import * as texts from "./words/compare.js";

const words = wordsOf(texts);

/**
 * Opens at a new question (`""`), with that of a stored answer in the field (`/of/ID`), at a stored comparison (`/ID`), the
 * runs (`/runs`) or one of them (`/runs/ID`).
 */
export async function open(main, place, signal) {
  const [maySeeRuns] = await Promise.all([seesRuns(signal), styled("compare.css")]);
  const heading = element("h2", { className: "visually-hidden" });
  const tabs = element("nav", { className: "tabs", hidden: !maySeeRuns });
  const region = element("div", { className: "compare" });
  main.append(heading, tabs, region);
  let part = null;

  function drawShell() {
    heading.textContent = words().title;
    tabs.setAttribute("aria-label", words().partsLabel);
    const links = [
      ["question", "#/compare"],
      ["runs", "#/compare/runs"],
    ].map(([name, href]) => {
      const link = element("a", { href }, words().parts[name]);
      if (name === part?.name) link.setAttribute("aria-current", "page");
      return link;
    });
    tabs.replaceChildren(...links);
  }

  async function follow(to) {
    closeSource();
    const [, ofRuns, run] = /^\/(runs)(?:\/(.+))?$/.exec(to) || [];
    const name = ofRuns ? "runs" : "question";
    if (part?.name !== name) {
      part?.close();
      const content = element("div", { className: "part" });
      region.replaceChildren(content);
      const openPart = ofRuns ? (await import("./compare/runs.js")).openRuns : openQuestion;
      if (signal.aborted) return;
      part = { name, ...openPart(content) };
    }
    drawShell();
    const [, answer] = /^\/of\/(.+)$/.exec(to) || [];
    if (answer) await part.take(decoded(answer));
    else await part.follow(decoded(ofRuns ? run || "" : to.slice(1)));
  }

  await follow(place);
  return {
    follow,
    close: () => part?.close(),
    redraw() {
      drawShell();
      part?.redraw();
    },
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
