/** Draws a comparison: what the evidence changes in short, both answers statement by statement, and its sources. */

import { sourceNodes } from "../answer.js";
import { chip } from "../ask/sentences.js";
import { moment } from "../controls.js";
import { element, joined, quoted } from "../dom.js";
import { words as shared, wordsOf } from "../words.js";
import * as askTexts from "../words/ask.js";
import * as texts from "../words/compare.js";
import { alignedRows, markedParts, otherNumbers } from "./rows.js";

const words = wordsOf(texts);
const answerWords = wordsOf(askTexts);
const SIDES = ["grounded", "ungrounded"];
const NO_BREAK = "\u00a0";

/** `open(place)` shows a citation, or a quoted passage, in its document; `copy` is what the button to copy does. */
export function comparisonNodes(comparison, open, copy) {
  const rows = alignedRows(comparison.difference);
  return [
    quoted("h2", comparison.question, comparison.grounded.language, "compared-question visually-hidden"),
    element("div", { className: "compared-head" }, inShort(comparison, rows), copyButton(comparison, copy)),
    element(
      "div",
      { className: "compared" },
      element("div", { className: "heads" }, ...SIDES.map((side) => sideHead(side, comparison[side]))),
      rows.length
        ? element("ol", { className: "aligned" }, ...rows.map((row) => rowItem(row, comparison, open)))
        : element("p", { className: "meta" }, words().nothingStated),
    ),
    numbersBox(comparison.difference.numbers),
    element("section", { className: "evidence compared-sources" }, ...sourceNodes(comparison.grounded, open)),
    wholeTexts(comparison),
  ].filter(Boolean);
}

function copyButton(comparison, copy) {
  return element("button", { type: "button", className: "quiet", onclick: () => copy(comparison) }, words().copy);
}

/** What the evidence changes, counted. */
function inShort({ difference, grounded }, rows) {
  const counted = (kind) => rows.filter((row) => row.kind === kind).length;
  const said = [
    ["supports", difference.corpus_supports.length, words().says.supports],
    ["contradicts", difference.corpus_contradicts.length, words().says.contradicts],
    ["does_not_mention", difference.corpus_does_not_mention.length, words().says.does_not_mention],
  ];
  const items = said.filter(([, number]) => number).map(([name, number, text]) =>
    element("li", { className: `says ${name}` }, element("strong", {}, String(number)), ` ${text}`),
  );
  const changed = joined([
    counted("number") ? words().otherNumbers(counted("number")) : null,
    counted("onlyGrounded") ? words().onlyWith(counted("onlyGrounded")) : null,
  ]);
  return element(
    "div",
    { className: "in-short" },
    element("p", {}, words().fromMemory(difference.ungrounded.length)),
    difference.ungrounded.length ? element("ul", {}, ...items) : null,
    changed ? element("p", { className: "meta" }, changed) : null,
    grounded.citations.some((one) => one.superseded) ? element("p", { className: "doubt" }, words().supersededSince) : null,
  );
}

/** What stands over a side: what it is, and what is unusual about its answer. */
function sideHead(side, answer) {
  const unanswered = answer.sentences.length ? null : noAnswer(answer);
  const seen = side === "grounded" ? answerWords().considered(answer.passages.length) : null;
  return element(
    "div",
    { className: `head ${side}` },
    element("h3", {}, words().sides[side]),
    element("p", { className: "meta" }, joined([words().sideNotes[side], seen, answer.model])),
    ...answer.notices.map((one) => quoted("p", one, answer.language, "meta notice-line")),
    unanswered,
    withheldList(answer),
  );
}

function noAnswer(answer) {
  const title = answer.status === "abstained" ? answerWords().abstained : answerWords().failed;
  return element(
    "div",
    { className: "box" },
    element("p", { className: "box-title" }, title),
    quoted("p", answer.failure || answer.text, answer.language, "told"),
  );
}

function withheldList(answer) {
  if (!answer.withheld.length) return null;
  const items = answer.withheld.map((one) =>
    element(
      "li",
      {},
      quoted("span", one.text, answer.language),
      one.issues.length ? quoted("p", joined(one.issues.map((issue) => issue.message)), answer.language, "doubt") : null,
    ),
  );
  const title = element("summary", {}, answerWords().withheld(answer.withheld.length));
  return element("details", { className: "withheld" }, title, element("ul", {}, ...items));
}

function rowItem(row, comparison, open) {
  return element(
    "li",
    { className: `row ${row.kind}`, "data-kind": row.kind },
    element("p", { className: "kind" }, words().kinds[row.kind]),
    ...SIDES.map((side) => cell(side, row, comparison, open)),
  );
}

function cell(side, row, comparison, open) {
  const draw = side === "grounded" ? citedStatement : recalledStatement;
  const statements = row[side].map((one) => draw(one, comparison, open));
  const empty = row.kind === "same" ? words().saidElsewhere : words().saysNothing;
  return element(
    "div",
    { className: `cell ${side}${statements.length ? "" : " empty"}` },
    element("p", { className: "cell-side" }, words().sides[side]),
    ...(statements.length ? statements : [element("p", { className: "meta" }, empty)]),
  );
}

function statementText(side, statement, comparison) {
  const wanted = otherNumbers(side, statement.index, comparison.difference.numbers);
  const parts = markedParts(statement.text, wanted).map(([text, isMarked]) => (isMarked ? element("mark", {}, text) : text));
  const line = quoted("span", "", comparison[side].language, "statement");
  line.append(...parts);
  return line;
}

/** A statement from the library, with the sources it cites. */
function citedStatement(statement, comparison, open) {
  const { grounded } = comparison;
  const sentence = grounded.sentences.find((one) => one.index === statement.index);
  const cited = grounded.citations.filter((one) => sentence?.citations.includes(one.marker));
  return element(
    "div",
    { className: "stated" },
    element("p", {}, statementText("grounded", statement, comparison), ...cited.flatMap((one) => [NO_BREAK, chip(one, open, sentence)])),
    sentence ? verdictLine(sentence) : null,
  );
}

/** What a sentence from the library is worth by what it cites. */
function verdictLine({ verdict, issues }) {
  const said = joined([answerWords().verdicts[verdict], ...issues.map((issue) => issue.message)]);
  if (!said) return null;
  return element("p", { className: verdict === "supported" ? "says supports" : "doubt" }, said);
}

/** A statement from memory, with what the passages that were found say of it, and why. */
function recalledStatement(statement, comparison, open) {
  const { says, quotes } = statement.corpus;
  return element(
    "div",
    { className: `stated ${says}` },
    element("p", {}, statementText("ungrounded", statement, comparison)),
    element("p", { className: `says ${says}` }, element("strong", {}, words().saysOf[says])),
    element("p", { className: "meta reason", dir: "auto" }, reasonOf(statement.corpus)),
    ...(says === "does_not_mention" ? [] : quotes.slice(0, 1)).map((one) => quoteButton(one, comparison, open)),
  );
}

/** Why the passages support a statement, contradict it or leave it open. */
export function reasonOf({ says, verdict, issues }) {
  if (says !== "supports" && issues.length) return joined(issues.map((issue) => issue.message));
  if (says === "does_not_mention" && verdict === "partial") return words().inPart;
  return words().reasons[says];
}

function quoteButton(quote, comparison, open) {
  const hit = comparison.grounded.passages.find((one) => one.passage_id === quote.passage_id) || {};
  return element(
    "button",
    { type: "button", className: "link quote-link", onclick: () => open(quote) },
    quoted("q", quote.quote.replace(/^\s*[-*•]\s/, "").replaceAll(/\s+/g, " ").trim(), hit.language || ""),
    quoted("span", ` ${joined([quote.title, hit.page ? answerWords().page(hit.page) : null])}`, "", "meta"),
  );
}

function numbersBox(numbers) {
  const inPlace = (side) => numbers.differ.flatMap((one) => one[side]);
  const [onlyHere, onlyThere] = ["grounded", "ungrounded"].map((side) =>
    numbers[`only_${side}`].filter((one) => !inPlace(side).includes(one)),
  );
  const rows = [
    ...numbers.differ.map((one) => [words().inPlaceOf, one.grounded.join(", "), one.ungrounded.join(", ")]),
    numbers.both.length ? [words().inBoth, numbers.both.join(", "), numbers.both.join(", ")] : null,
    onlyHere.length || onlyThere.length ? [words().onlyThere, onlyHere.join(", "), onlyThere.join(", ")] : null,
  ].filter(Boolean);
  if (!rows.length) return null;
  const heads = ["", words().sides.grounded, words().sides.ungrounded];
  return element(
    "section",
    { className: "numbers" },
    element("h3", {}, words().numbers),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads.map((one) => element("th", { scope: "col" }, one)))),
      element(
        "tbody",
        {},
        ...rows.map(([name, ...values]) =>
          element("tr", {}, element("th", { scope: "row" }, name), ...values.map((one) => element("td", { dir: "auto" }, one || "–"))),
        ),
      ),
    ),
  );
}

/** Both texts as they were given, with what states nothing. */
function wholeTexts(comparison) {
  const texts = SIDES.map((side) =>
    element(
      "div",
      {},
      element("h3", {}, words().sides[side]),
      quoted("p", comparison[side].text || "–", comparison[side].language, "text"),
      element("p", { className: "meta" }, element("a", { href: `#/answers/${encodeURIComponent(comparison[side].id)}` }, words().asAnswer)),
    ),
  );
  return element(
    "details",
    { className: "whole" },
    element("summary", {}, words().whole),
    element("div", { className: "sides-whole" }, ...texts),
  );
}

/** The comparison as plain text, to be kept elsewhere. */
export function comparisonText(comparison) {
  const { grounded, difference } = comparison;
  const lines = [comparison.question, ""];
  for (const row of alignedRows(difference)) {
    lines.push(`– ${words().kinds[row.kind]}`);
    for (const one of row.grounded) {
      const cited = grounded.sentences.find((sentence) => sentence.index === one.index)?.citations || [];
      lines.push(`  ${words().sides.grounded}: ${[one.text, ...cited.map((marker) => `[${marker}]`)].join(" ")}`);
    }
    for (const one of row.ungrounded) {
      lines.push(`  ${words().sides.ungrounded}: ${one.text} (${words().saysOf[one.corpus.says]}: ${reasonOf(one.corpus)})`);
    }
  }
  if (!grounded.sentences.length) lines.push(`${words().sides.grounded}: ${grounded.failure || grounded.text}`);
  const cited = grounded.citations.map((one) => {
    const facts = [one.title, one.publisher, one.edition, one.published, one.page ? answerWords().page(one.page) : null, one.url];
    return `[${one.marker}] ${joined(facts)}${one.superseded ? ` (${answerWords().superseded})` : ""}`;
  });
  if (cited.length) lines.push("", answerWords().sources, ...cited);
  return [...lines, "", joined([grounded.model, moment(grounded.created_at)]), shared().notice].join("\n");
}
