/** The keys for administrators: a list, a form to make one, its secret shown once, an end to one. */

import * as calls from "../calls/record.js";
import { confirmation } from "../confirmation.js";
import { button, choice, emptyBox, moment, number, table } from "../controls.js";
import { element, quoted } from "../dom.js";
import { words } from "./callers.js";
import { copyButton } from "./copying.js";
import { keyForm } from "./key_form.js";

const DAY = { dateStyle: "medium" };

export async function open(region, _place, { who, signal }) {
  let [keys, collections] = await Promise.all([calls.keys(signal), calls.collectionNames(signal)]);
  let made = null;
  let form = null;
  let showsEnded = false;
  let isOver = false;
  signal.addEventListener("abort", () => (made = null));
  const head = element("div", { className: "list-head" });
  const place = element("div", {});
  const list = element("div", {});
  region.append(head, place, list);

  async function refresh() {
    keys = await calls.keys(signal);
    if (!signal.aborted) draw();
  }

  function drawPlace() {
    if (made) place.replaceChildren(secretBox(made, isOver, finished));
    else if (form) place.replaceChildren(form.node);
    else place.replaceChildren();
  }

  /** The secret is let go of. The first key of all shuts the page to who has not signed in with one. */
  async function finished() {
    made = null;
    drawPlace();
    if (isOver) globalThis.location.reload();
    else head.querySelector("button")?.focus();
  }

  function openForm() {
    made = null;
    form = keyForm(who, collections, {
      async create(stated) {
        made = await calls.createKey(stated);
        form = null;
        isOver = who.via === "open";
        draw();
        place.querySelector("input").select();
        if (!isOver) await refresh();
      },
      cancel() {
        form = null;
        draw();
        head.querySelector("button")?.focus();
      },
    });
    draw();
    form.node.querySelector("input").focus();
  }

  function draw() {
    const adding = button(words().newKey, openForm, "main");
    adding.hidden = form !== null || isOver;
    head.replaceChildren(element("p", { className: "meta intro" }, words().keysIntro), adding);
    drawPlace();
    const ended = keys.filter((key) => key.state !== "active").length;
    const shown = keys.filter((key) => showsEnded || key.state === "active");
    const toggle = () => {
      showsEnded = !showsEnded;
      draw();
    };
    const toggling = ended ? element("p", { className: "pager" }, button(showsEnded ? words().hideEnded : words().showEnded(ended), toggle)) : "";
    if (isOver) list.replaceChildren();
    else if (!keys.length) list.replaceChildren(emptyBox(words().noKeys, words().noKeysHint));
    else list.replaceChildren(keysTable(shown, (key) => confirmRevoking(key, who, refresh)), toggling);
  }

  draw();
  return {
    redraw() {
      form?.redraw();
      draw();
    },
  };
}

function keysTable(keys, revoke) {
  const { key, role, mayRead, state, created, expires } = words();
  return table([key, role, mayRead, state, created, expires, ""], keys.map((one) => row(one, revoke)), "keys-table");
}

function row(key, revoke) {
  const more = [
    key.recorded ? null : words().unrecordedTag,
    key.requests_per_minute === null ? null : words().perMinute(number(key.requests_per_minute)),
  ].filter(Boolean);
  const ending = button(words().revoke, () => revoke(key), "quiet danger");
  ending.setAttribute("aria-label", `${words().revoke}: ${key.name}`);
  return [
    element("div", {}, quoted("span", key.name, "", "title"), element("p", { className: "meta" }, [words().ofId(key.id.slice(0, 8)), ...more].join(" · "))),
    words().roles[key.role],
    key.collections === null ? words().allCollections : quoted("span", key.collections.join(", "), ""),
    element("span", { className: `tag ${key.state}` }, words().states[key.state]),
    moment(key.created_at, DAY),
    key.revoked_at ? moment(key.revoked_at, DAY) : key.expires_at ? moment(key.expires_at) : words().never,
    key.state === "active" ? ending : null,
  ];
}

function secretBox(key, isFirst, done) {
  const field = element("input", { type: "text", readOnly: true, value: key.key, spellcheck: false, autocomplete: "off" });
  field.setAttribute("aria-label", words().secretLabel);
  field.addEventListener("focus", () => field.select());
  return element(
    "div",
    { className: "box secret" },
    element("p", { className: "box-title" }, words().secretTitle(key.name)),
    element("p", {}, words().secretHint),
    isFirst ? element("p", {}, words().thenSignIn) : null,
    element("div", { className: "in-line" }, field, copyButton(key.key, field)),
    button(words().done, done, "main"),
  );
}

/** Asks first. */
function confirmRevoking(key, who, refresh) {
  const isOwn = who.caller_id === `key:${key.id}`;
  confirmation({
    title: words().revokeTitle(key.name),
    content: [
      element("p", {}, words().revokeHint),
      ...(isOwn ? [element("p", { className: "doubt" }, words().revokeOwn)] : []),
    ],
    label: () => words().revoke,
    danger: true,
    act: async () => {
      await calls.revokeKey(key.id);
      await refresh();
    },
  });
}
