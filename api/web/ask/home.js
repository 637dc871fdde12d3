/** What the view to ask shows before the first question. */

import { element } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);
const EXAMPLES = [
  ["en", "Below which eGFR is metformin contraindicated?"],
  ["en", "What is the target serum urate in gout?"],
  ["zh", "哮喘第1级治疗的首选方案是什么？"],
  ["zh", "痛风患者血尿酸应控制在多少以下？"],
];

/** What answers come from; where that is the sample, with examples: `choose(question)` is called with one's words. */
export function libraryNodes({ documents, hasSample }, choose) {
  const { seeLibrary } = words();
  const link = element("a", { href: "#/library" }, seeLibrary);
  const told = element("p", { className: "meta" }, words().library(documents), " ", link);
  return hasSample ? [...exampleNodes(choose), told] : [told];
}

function exampleNodes(choose) {
  const examples = EXAMPLES.map(([lang, question]) => {
    const onclick = () => choose(question);
    return element("li", {}, element("button", { type: "button", className: "example", lang, onclick }, question));
  });
  return [element("h2", {}, words().examples), element("ul", { className: "examples" }, ...examples)];
}

/** A library without documents: what to do next, here where the reader may load some. */
export function emptyNodes(mayLoad) {
  const { emptyTitle, emptyBefore, emptyAfter, emptyLoad } = words();
  return [
    element(
      "div",
      { className: "box" },
      element("p", { className: "box-title" }, emptyTitle),
      mayLoad ? element("p", {}, element("a", { href: "#/library" }, emptyLoad)) : null,
      element("p", {}, emptyBefore),
      element("pre", {}, element("code", {}, "taiyi-rag ingest PATH")),
      element("p", {}, emptyAfter),
    ),
  ];
}
