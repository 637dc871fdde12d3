/** What a librarian should look at: questions without an answer, likely editions, documents past their day, receipts. */

import * as calls from "../calls/library.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { prefill } from "./bench.js";
import { button, documentsAddress, link, moment, short, words } from "./parts.js";
import { proposalNodes } from "./proposal.js";
import { receiptNodes } from "./receipt.js";

const AT_ONCE = 20;
const MOST = 1000; // that the service gives at once

export async function open(region, _place, context) {
  const { signal } = context;
  const [asked, first, flagged, receipts] = await Promise.all([
    calls.toActOn(AT_ONCE, 0, signal),
    calls.documents({ limit: 1, facets: true }, signal),
    calls.documents({ limit: 1, flagged: true }, signal),
    calls.receipts(signal),
  ]);
  let questions = asked;
  let proposals = await calls.proposals(signal);
  let told = null;
  let receiptsShown = AT_ONCE;

  async function more() {
    try {
      const next = await calls.toActOn(AT_ONCE, questions.feedback.length, signal);
      questions.feedback.push(...next.feedback);
      questions.total = next.total;
      draw();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      region.prepend(problemBox(problem));
    }
  }

  async function handled(answerId) {
    try {
      await calls.handle(answerId);
      questions = await calls.toActOn(Math.min(MOST, Math.max(AT_ONCE, questions.feedback.length)), 0, signal);
      draw();
      region.querySelector("#questions").focus();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      region.prepend(problemBox(problem));
    }
  }

  async function decided(accepted) {
    told = accepted;
    proposals = await calls.proposals(signal);
    draw();
    region.querySelector("#proposals").focus();
  }

  function draw() {
    region.replaceChildren(
      documentsNodes(first.facets.state, flagged.total),
      questionsNodes(),
      proposalsNodes(),
      receiptsNodes(),
    );
  }

  function questionsNodes() {
    const { review } = words();
    const items = questions.feedback.map((one) => questionItem(one, context.role === "admin" ? handled : null));
    const isMore = questions.feedback.length < questions.total;
    return part(
      "questions",
      review.questions,
      questions.total,
      element("p", { className: "meta" }, context.role === "admin" ? review.questionsAll : review.questionsOwn),
      items.length ? element("ul", { className: "documents" }, ...items) : element("p", {}, review.noQuestions),
      isMore ? button(review.more, more) : null,
    );
  }

  function proposalsNodes() {
    const { review, decided: said, proposalHint } = words();
    return part(
      "proposals",
      review.proposals,
      proposals.length,
      told === null ? null : element("p", { className: "notices", role: "status" }, said[told]),
      proposals.length ? element("p", { className: "meta" }, proposalHint) : element("p", {}, review.noProposals),
      element(
        "ul",
        { className: "documents" },
        ...proposals.map((one) => element("li", {}, proposalNodes(one, decided))),
      ),
    );
  }

  function receiptsNodes() {
    const { review } = words();
    const shown = receipts.slice(0, receiptsShown);
    const moreReceipts = () => {
      receiptsShown += AT_ONCE;
      draw();
    };
    return part(
      "receipts",
      review.receipts,
      receipts.length,
      receipts.length ? null : element("p", {}, review.noReceipts),
      element("ul", { className: "receipts" }, ...shown.map((one) => element("li", {}, receiptLine(one)))),
      receipts.length > receiptsShown ? button(review.more, moreReceipts) : null,
    );
  }

  draw();
  return { redraw: draw };
}

function receiptLine(receipt) {
  const { erasedTitle } = words();
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      quoted("span", short(receipt.title || erasedTitle, 120), ""),
      " ",
      element("span", { className: "meta" }, moment(receipt.deleted_at)),
    ),
    receiptNodes(receipt),
  );
}

function documentsNodes(states, flagged) {
  const { review } = words();
  const due = ["overdue", "retracted", "withdrawn"].filter((state) => states[state]);
  const rows = due.map((state) => element("li", {}, link(review[state](states[state]), documentsAddress({ state }))));
  if (flagged) rows.push(element("li", {}, link(review.flagged(flagged), documentsAddress({ flagged: true }))));
  return part(
    "documents",
    review.documents,
    null,
    rows.length ? element("ul", { className: "plain" }, ...rows) : element("p", {}, review.noDocuments),
  );
}

/** `handled(answerId)` is called when the reader has dealt with it; null for who may not say so. */
function questionItem(one, handled) {
  const { review } = words();
  const tryIt = link(review.tryIt, "#/library/search", "quiet");
  tryIt.addEventListener("click", () => prefill(one.question, one.collections));
  return element(
    "li",
    {},
    element(
      "div",
      { className: "job-head" },
      quoted("p", short(one.question, 400), "", "title"),
      element("span", { className: "state partial" }, one.rating === "down" ? review.bad : review.abstained),
    ),
    element(
      "p",
      { className: "meta" },
      moment(one.created_at),
      ...one.collections.flatMap((name, index) => [
        index ? ", " : ` · ${review.inCollections}: `,
        collectionLink(name),
      ]),
    ),
    one.reason ? quoted("p", short(one.reason, 1000), "", "reason") : null,
    one.missing.length ? quoted("p", review.missing(one.missing), "", "doubt") : null,
    element(
      "div",
      { className: "buttons" },
      link(review.openAnswer, `#/answers/${encodeURIComponent(one.answer_id)}`, "quiet"),
      tryIt,
      handled ? button(review.done, () => handled(one.answer_id)) : null,
    ),
  );
}

function collectionLink(name) {
  const made = link(name, documentsAddress({ collection: name }));
  made.dir = "auto";
  return made;
}

function part(id, title, number, ...nodes) {
  const shown =
    number === null ? title : [title, " ", element("span", { className: "number" }, number.toLocaleString())];
  const heading = element("h3", { id, tabIndex: -1 }, ...[shown].flat());
  return element("section", { className: "review-part" }, heading, ...nodes);
}
