/** Wires the page: asking, the address of an answer, the language, the keyboard. */

import { answerNodes, sourceNodes } from "./answer.js";
import * as api from "./api.js";
import { element } from "./dom.js";
import { loadingView } from "./loading.js";
import { problemBox } from "./problem.js";
import { signing } from "./signing.js";
import { sourcePanel } from "./source.js";
import { chooseLanguage, currentLanguage, otherLanguage, words } from "./words.js";

const EXAMPLES = [
  ["en", "Below which eGFR is metformin contraindicated?"],
  ["en", "What is the target serum urate in gout?"],
  ["zh", "哮喘第1级治疗的首选方案是什么？"],
  ["zh", "痛风患者血尿酸应控制在多少以下？"],
];
const JOBS_ADDRESS = "#/jobs";
const ANSWER_ADDRESS = /^#\/answers\/([^/]+)$/;

const byId = (id) => document.getElementById(id);
const [form, field, languageButton] = ["ask", "question", "language"].map(byId);
const [home, answerRegion, sources] = ["home", "answer", "sources"].map(byId);
const [uploadForm, notice, jobsLink] = ["upload", "notice", "to-jobs"].map(byId);
const [signInForm, signOutButton] = ["sign-in", "sign-out"].map(byId);
const panel = sourcePanel(byId("source"), field);
const loading = loadingView(uploadForm, byId("upload-problem"), () => show(loading.draw));

const door = signing(signInForm, greet);

/** Who is signed in; undefined until the service said it, null for nobody. */
let reader;
let draw = () => ({});
let turn = new AbortController();

/** Puts `draw()` on the page: the nodes of each region, `{home, answer, sources}`. Drawn again in another language. */
function show(drawRegions) {
  draw = drawRegions;
  const nodes = draw();
  home.replaceChildren(...(nodes.home || []));
  answerRegion.replaceChildren(...(nodes.answer || []));
  sources.replaceChildren(...(nodes.sources || []));
}

/** Loads what `drawLoaded` draws. A later turn overtakes an earlier one. Gives null where there was nothing to draw. */
async function take(load, drawLoaded, drawWaiting) {
  turn.abort();
  turn = new AbortController();
  const { signal } = turn;
  panel.close();
  show(drawWaiting);
  try {
    const loaded = await load(signal);
    if (signal.aborted) return null;
    show(() => drawLoaded(loaded));
    return loaded;
  } catch (problem) {
    if (signal.aborted) return null;
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status === 401) await door.arrive();
    else show(() => ({ answer: [problemBox(problem)] }));
    return null;
  }
}

async function askQuestion() {
  await arrived;
  const question = field.value.trim();
  if (!question) return;
  const answer = await take((signal) => api.ask(question, signal), drawAnswer, drawBusy);
  if (!answer) return;
  if (field.value.trim() === question) field.value = answer.question; // without what was masked in it
  if (answer.recorded) history.pushState(null, "", `#/answers/${encodeURIComponent(answer.id)}`);
}

/** Shows what the address says to who is signed in, and to nobody the form to sign in. */
function greet(who) {
  const isFirst = reader === undefined;
  reader = who;
  signInForm.hidden = who !== null;
  signOutButton.hidden = who === null || who.via !== "session";
  jobsLink.hidden = who === null || (who.role === "reader" && who.via !== "unknown");
  if (who) {
    if (!isFirst) field.value = ""; // what was typed while the page came up is kept
    followAddress();
    return;
  }
  form.hidden = notice.hidden = uploadForm.hidden = true;
  loading.closed();
  panel.close();
  show(() => ({}));
  signInForm.elements.key.focus();
}

async function leave() {
  try {
    await api.signOut();
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status !== 401) {
      show(() => ({ answer: [problemBox(problem)] }));
      return;
    }
  }
  field.value = "";
  await door.arrive();
}

/** Shows the form to ask, or the one to load documents. */
function turnTo(isLoading) {
  form.hidden = notice.hidden = isLoading;
  uploadForm.hidden = !isLoading;
  if (isLoading) jobsLink.setAttribute("aria-current", "page");
  else jobsLink.removeAttribute("aria-current");
  loading.closed();
}

async function followAddress() {
  turnTo(location.hash === JOBS_ADDRESS);
  if (location.hash === JOBS_ADDRESS) {
    const loaded = await take(loading.load, loading.draw, drawLoadingJobs);
    if (loaded) loading.opened();
    return;
  }
  const [, id] = ANSWER_ADDRESS.exec(location.hash) || [];
  if (id === undefined) {
    await take(api.collections, drawHome, () => ({}));
    return;
  }
  const answer = await take((signal) => api.storedAnswer(decoded(id), signal), drawAnswer, drawBusy);
  if (answer) field.value = answer.question;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function drawAnswer(answer) {
  return { answer: answerNodes(answer, panel.open), sources: sourceNodes(answer, panel.open) };
}

function drawBusy() {
  const lines = [1, 2, 3].map(() => element("div", { className: "line" }));
  const said = element("p", { className: "meta" }, words().searching);
  return { answer: [element("div", { className: "busy" }, said, ...lines)] };
}

function drawLoadingJobs() {
  return { home: [element("p", { className: "meta" }, words().loadingJobs)] };
}

function drawHome(collections) {
  const documents = collections.reduce((sum, collection) => sum + collection.documents, 0);
  return { home: documents ? exampleNodes(documents) : emptyNodes() };
}

function exampleNodes(documents) {
  const examples = EXAMPLES.map(([lang, question]) => {
    const onclick = () => {
      field.value = question;
      askQuestion();
    };
    return element("li", {}, element("button", { type: "button", className: "example", lang, onclick }, question));
  });
  return [
    element("h2", {}, words().examples),
    element("ul", { className: "examples" }, ...examples),
    element("p", { className: "meta" }, words().library(documents)),
  ];
}

function emptyNodes() {
  const { emptyTitle, emptyBefore, emptyAfter } = words();
  return [
    element(
      "div",
      { className: "box" },
      element("p", { className: "box-title" }, emptyTitle),
      element("p", {}, emptyBefore),
      element("pre", {}, element("code", {}, "taiyi-rag ingest PATH")),
      element("p", {}, emptyAfter),
    ),
  ];
}

function applyLanguage() {
  document.documentElement.lang = currentLanguage();
  for (const worded of document.querySelectorAll("[data-word]")) worded.textContent = words()[worded.dataset.word];
  languageButton.textContent = words().otherLanguage;
  languageButton.lang = otherLanguage();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  askQuestion();
});

field.addEventListener("keydown", (event) => {
  // Enter that accepts a word from an input method is not a question; Safari reports it as key 229 only.
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  askQuestion();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) panel.close();
  if (event.key !== "/" || form.hidden || event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field.focus();
  field.select();
});

languageButton.addEventListener("click", () => {
  chooseLanguage(otherLanguage());
  applyLanguage();
  show(draw);
  panel.redraw();
});

signOutButton.addEventListener("click", leave);

window.addEventListener("hashchange", () => {
  if (!reader) return;
  field.value = "";
  followAddress();
});
applyLanguage();
const arrived = door.arrive();
