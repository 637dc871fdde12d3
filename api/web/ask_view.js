/**
 * The view to ask: a question, its answer with the sources, and the questions that follow it. The field at the top
 * begins anew; the one below an answer goes on with its conversation. The address is that of the answer shown last.
 */

import { Problem } from "./api.js";
import { emptyNodes, libraryNodes } from "./ask/home.js";
import { followUpForm } from "./ask/following.js";
import { scopeControl } from "./ask/scope.js";
import { liveTurn, settledTurn } from "./ask/turn.js";
import { walking } from "./ask/walking.js";
import * as calls from "./calls/ask.js";
import { busyLines } from "./dom.js";
import { problemBox } from "./problem.js";
import * as question from "./question.js";
import { closeSource, openSource } from "./source.js";
import { wordsOf } from "./words.js";
import * as texts from "./words/ask.js";

const words = wordsOf(texts);
const { field } = question;
const byId = (id) => document.getElementById(id);
const [home, thread, told] = ["home", "answer", "told"].map(byId);
const scope = scopeControl(byId("scope"));
const TURNS_TOLD = 4;

/** Opens at the start (`""`), there with a collection chosen (`in/NAME`), or at a stored answer (`/ID`). */
export function open(main, place, left) {
  let turn = new AbortController();
  let answers = [];
  let live = null;
  let drawHome = () => [];
  let known = calls.collections(left);

  /** A later turn overtakes an earlier one. */
  function begin() {
    turn.abort();
    turn = new AbortController();
    live = null;
    closeSource();
    told.textContent = "";
    return turn.signal;
  }

  function draw() {
    home.replaceChildren(...drawHome());
    thread.replaceChildren(...answers.map((answer) => settledTurn(answer, openSource)));
    main.classList.toggle("alone", answers.length + (live ? 1 : 0) < 2);
    if (answers.length) thread.append(followUpForm(followUp, leaveThread));
  }

  function ask() {
    const asked = field.value.trim();
    if (asked) answerTo(asked);
  }

  /** Goes on with what is recorded by its id; the page itself says what came before where that is not, or not one's own. */
  function followUp(asked) {
    const { conversation_id, own } = answers.at(-1);
    const id = own === false ? null : conversation_id;
    const history = answers.slice(-TURNS_TOLD).map(({ question: before, text }) => ({ question: before, answer: text }));
    answerTo(asked, id ? { conversation_id: id } : { history });
  }

  async function answerTo(asked, more = null) {
    const signal = begin();
    const isFirst = more === null;
    if (isFirst) [answers, drawHome] = [[], () => []];
    let isStopped = false;
    const made = liveTurn(asked, () => {
      isStopped = true;
      turn.abort();
    });
    live = made;
    draw();
    thread.querySelector(".follow-up")?.remove();
    thread.append(made.node);
    if (!isFirst) made.node.scrollIntoView({ block: "start" });
    try {
      const answer = await calls.ask({ question: asked, ...scope.asked(), ...more }, made, signal);
      if (!signal.aborted) settle(answer, asked, isFirst);
    } catch (problem) {
      if (isStopped) made.stopped();
      else if (!signal.aborted && problem instanceof Problem) made.failed(problem);
      else if (!signal.aborted) throw problem;
      if (live === made && answers.length) thread.append(followUpForm(followUp, leaveThread));
    }
  }

  function settle(answer, asked, isFirst) {
    const { node } = live;
    live = null;
    answers.push(answer);
    node.replaceWith(settledTurn(answer, openSource));
    thread.append(followUpForm(followUp, leaveThread));
    main.classList.toggle("alone", answers.length < 2);
    told.textContent = answer.sentences.length
      ? words().ready(answer.sentences.length, new Set(answer.citations.map((one) => one.edition_id)).size)
      : words().abstained;
    if (isFirst && field.value.trim() === asked) field.value = answer.question; // without what was masked in it
    if (answer.recorded) history.pushState(null, "", `#/answers/${encodeURIComponent(answer.id)}`);
  }

  /** Gets ready to ask in the collection that a place names; gives what else it says. */
  function scoped(to) {
    if (!to.startsWith("in/")) return to;
    scope.only(decoded(to.slice("in/".length)));
    field.focus();
    return "";
  }

  function leaveThread() {
    if (location.hash === "#/") follow("");
    else location.hash = "#/";
    field.focus();
  }

  async function follow(to) {
    const signal = begin();
    [answers, drawHome] = [[], () => []];
    if (to) draw();
    try {
      if (to) await showStored(decoded(to.slice(1)), signal);
      else await showHome(signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      thread.replaceChildren(problemBox(problem));
    }
  }

  async function showStored(id, signal) {
    thread.replaceChildren(busyLines());
    const found = await calls.conversation(id, signal);
    if (signal.aborted) return;
    answers = found;
    field.value = answers[0].question;
    draw();
    if (answers.length > 1) thread.querySelector(".turn:last-of-type").scrollIntoView({ block: "start" });
  }

  async function showHome(signal) {
    const [found, hasSample] = await Promise.all([known || calls.collections(signal), calls.hasSample(signal)]);
    known = null; // told again, how many documents there are may have changed
    if (signal.aborted) return;
    const documents = found.reduce((sum, collection) => sum + collection.documents, 0);
    const mayLoad = documents ? false : await calls.mayLoad(signal);
    const choose = (example) => {
      field.value = example;
      ask();
    };
    drawHome = () => (documents ? libraryNodes({ documents, hasSample }, choose) : emptyNodes(mayLoad));
    draw();
  }

  /** What can be chosen to search in. Where it cannot be told, all documents are searched. */
  async function learnScope() {
    try {
      const [collections, hasModel] = await Promise.all([known, calls.hasLanguageModel(left)]);
      scope.set({ collections, hasModel });
    } catch (problem) {
      if (!(problem instanceof Problem) && !left.aborted) throw problem;
    }
  }

  function close() {
    question.answeredBy(null);
    field.value = "";
    drawHome = () => [];
    answers = [];
    draw();
  }

  left.addEventListener("abort", () => turn.abort());
  walking(thread, left);
  scope.redraw();
  learnScope();
  const where = scoped(place);
  if (!question.answeredBy(ask)) follow(where);
  return {
    redraw() {
      scope.redraw();
      if (live) {
        live.redraw();
        return;
      }
      if (answers.length || home.childElementCount) draw();
    },
    close,
    follow(to) {
      field.value = "";
      return follow(scoped(to));
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
