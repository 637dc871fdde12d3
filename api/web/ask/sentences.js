/** The sentences of an answer, each with its verdict and the numbers of its sources. */

import { describedBy } from "./card.js";
import { element, quoted } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);
const NO_BREAK = "\u00a0";

/**
 * The sentences as the model wrote them, in paragraphs; quotes as a list. `open(citation)` shows a source; it is left
 * out while the answer is still written and its numbers lead nowhere yet.
 */
export function sentenceNodes(answer, open) {
  if (answer.mode === "extractive") {
    const items = answer.sentences.map((one) => element("li", {}, ...sentenceParts(one, answer, open)));
    return element("ul", { className: "sentences" }, ...items);
  }
  const paragraphs = [[]];
  answer.sentences.forEach((one, at) => {
    const before = at ? answer.text.slice(answer.sentences[at - 1].end, one.start) : "";
    if (before.includes("\n")) paragraphs.push([]);
    paragraphs.at(-1).push(at ? " " : "", ...sentenceParts(one, answer, open));
  });
  return element("div", { className: "sentences prose" }, ...paragraphs.map((parts) => element("p", {}, ...parts)));
}

/** A sentence with its chips and, where it is not wholly supported, what is wrong with it. */
export function sentenceParts(sentence, answer, open) {
  const said = quoted(answer.mode === "extractive" ? "q" : "span", sentence.text, answer.language, "sentence");
  said.dataset.verdict = sentence.verdict;
  describedBy(said, () => verdictNodes(sentence));
  const chips = sentence.citations.flatMap((marker) => {
    const citation = answer.citations.find((one) => one.marker === marker);
    return [NO_BREAK, citation ? chip(citation, open, sentence) : pendingChip(marker)];
  });
  return [said, ...chips, verdictTag(sentence)].filter(Boolean);
}

/** The number of a source: shows what it is when it is pointed at, and opens it. */
export function chip(citation, open, sentence = null) {
  const made = element(
    "button",
    {
      type: "button",
      className: citation.superseded ? "chip ended" : "chip",
      onclick: () => open(citation),
      "aria-label": words().sourceOf(citation.marker, citation.title),
      "data-marker": String(citation.marker),
    },
    `[${citation.marker}]`,
  );
  describedBy(made, () => [...citationNodes(citation), ...(sentence ? verdictNodes(sentence) : [])]);
  return made;
}

/** The number of a source whose place is known once the answer is complete. */
function pendingChip(marker) {
  return element("button", { type: "button", className: "chip pending", disabled: true }, `[${marker}]`);
}

/** The sign of a verdict other than support: a word, so that no colour is needed to see it. */
function verdictTag(sentence) {
  const short = words().short[sentence.verdict];
  if (!short) return null;
  const made = element("button", { type: "button", className: "verdict", "data-verdict": sentence.verdict }, short);
  describedBy(made, () => verdictNodes(sentence));
  const spaced = element("span", {}, NO_BREAK, made);
  return spaced;
}

/** What is known of a source, for the card. */
function citationNodes(citation) {
  const facts = [citation.publisher, citation.edition, citation.published, citation.page && words().page(citation.page)];
  return [
    quoted("p", citation.title, citation.language, "card-title"),
    element("p", { className: "meta" }, quoted("span", facts.filter(Boolean).join(" · "), ""), ...ended(citation)),
  ];
}

function ended({ superseded, retracted }) {
  if (!superseded && !retracted) return [];
  return [element("br"), element("strong", {}, retracted ? words().retractedLong : words().supersededLong)];
}

/** The verdict on a sentence and the reasons for it. */
function verdictNodes(sentence) {
  const { verdict, probability, issues } = sentence;
  const support = probability === null || probability === undefined ? "" : ` · ${words().support(probability)}`;
  return [
    element("p", { className: "card-verdict", "data-verdict": verdict }, `${words().verdicts[verdict]}${support}`),
    ...issues.map((issue) => quoted("p", issue.message, "", "meta")),
  ];
}
