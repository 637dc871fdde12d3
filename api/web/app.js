/** The shell of the page: who is signed in, the navigation, the language, the keyboard. */

import * as api from "./api.js";
import { problemBox } from "./problem.js";
import * as question from "./question.js";
import { routing } from "./router.js";
import { signing } from "./signing.js";
import { closeSource, redrawSource } from "./source.js";
import { chooseLanguage, currentLanguage, otherLanguage, words } from "./words.js";

const byId = (id) => document.getElementById(id);
const [main, navigation, languageButton, signOutButton] = ["main", "navigation", "language", "sign-out"].map(byId);
const links = [...navigation.querySelectorAll("a")];
const signInForm = byId("sign-in");
const said = byId("said");

const door = signing(signInForm, greet);
const router = routing(main, turned, sayProblem);

/** Who is signed in; undefined until the service said it, null for nobody. */
let reader;

/** Shows what the address says to who is signed in, and to nobody the form to sign in. */
function greet(who) {
  const isFirst = reader === undefined;
  reader = who;
  document.documentElement.classList.remove("elsewhere");
  signInForm.hidden = who !== null;
  navigation.hidden = who === null;
  signOutButton.hidden = who === null || who.via !== "session";
  for (const link of links) link.hidden = who !== null && !maySee(link, who);
  said.replaceChildren();
  if (who) {
    if (!isFirst) question.forget(); // what was typed while the page came up is kept
    router.follow(location.hash);
    return;
  }
  question.forget();
  closeSource();
  router.leave();
  signInForm.elements.key.focus();
}

/** Whether a link of the navigation is for this reader: `data-for` names the roles, none means all. */
function maySee(link, who) {
  return !link.dataset.for || who.via === "unknown" || link.dataset.for.split(" ").includes(who.role);
}

function turned(name) {
  closeSource();
  said.replaceChildren();
  for (const link of links) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  entitle();
}

function entitle() {
  const current = links.find((link) => link.hasAttribute("aria-current"));
  const title = words().views[current?.dataset.view];
  document.title = title && current.dataset.view !== "ask" ? `${title} · Taiyi RAG` : "Taiyi RAG";
}

/** What a view could not do, above what it shows. */
function sayProblem(problem) {
  if (problem instanceof api.Problem && problem.status === 401) return; // the door is on its way
  if (problem.name === "AbortError") return;
  said.replaceChildren(problemBox(problem instanceof api.Problem ? problem : new api.Problem("broken")));
  if (!(problem instanceof api.Problem)) console.error(problem);
}

async function leave() {
  try {
    await api.signOut();
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status !== 401) {
      sayProblem(problem);
      return;
    }
  }
  await door.arrive();
}

function applyLanguage() {
  document.documentElement.lang = currentLanguage();
  for (const worded of document.querySelectorAll("[data-word]")) worded.textContent = words()[worded.dataset.word];
  for (const link of links) link.textContent = words().views[link.dataset.view];
  navigation.setAttribute("aria-label", words().navigation);
  languageButton.textContent = words().otherLanguage;
  languageButton.lang = otherLanguage();
  entitle();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) closeSource();
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey || !question.isShown()) return;
  event.preventDefault();
  question.field.focus();
  question.field.select();
});

languageButton.addEventListener("click", () => {
  chooseLanguage(otherLanguage());
  applyLanguage();
  router.redraw();
  redrawSource();
});

signOutButton.addEventListener("click", leave);
document.addEventListener(api.SIGNED_OUT, () => door.arrive());
window.addEventListener("hashchange", () => {
  if (reader) router.follow(location.hash);
});

applyLanguage();
door.arrive();
