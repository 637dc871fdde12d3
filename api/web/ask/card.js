/** The card that says more of what is pointed at or has the focus. There is one, for whatever is described last. */

import { element } from "../dom.js";

const EDGE = 8;
const SHOWN_AFTER_MS = 120;
const TEXT_SHOWN_AFTER_MS = 500;
const card = element("div", { id: "card", role: "tooltip", hidden: true });
let shownFor = null;
let waiting = null;

/** Shows `describe()` in the card while the pointer is on `target`, or while it has the focus. */
export function describedBy(target, describe) {
  const later = () => {
    clearTimeout(waiting);
    const after = target.matches("button") ? SHOWN_AFTER_MS : TEXT_SHOWN_AFTER_MS; // who reads is not to be covered
    waiting = setTimeout(() => show(target, describe), after);
  };
  target.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && later());
  target.addEventListener("pointerleave", hideCard);
  target.addEventListener("focus", () => target.matches(":focus-visible") && show(target, describe));
  target.addEventListener("blur", hideCard);
  target.addEventListener("click", () => (target.classList.contains("verdict") ? show(target, describe) : hideCard()));
}

export function hideCard() {
  clearTimeout(waiting);
  card.hidden = true;
  shownFor?.removeAttribute("aria-describedby");
  shownFor = null;
}

function show(target, describe) {
  if (!target.isConnected) return;
  hideCard();
  if (!card.isConnected) document.body.append(card);
  card.replaceChildren(...describe());
  card.hidden = false;
  shownFor = target;
  target.setAttribute("aria-describedby", "card");
  place(target.getClientRects()[0]);
}

/** Below what it describes, or above it where there is no room. */
function place({ left, top, bottom }) {
  const { offsetWidth: width, offsetHeight: height } = card;
  const { clientWidth, clientHeight } = document.documentElement;
  const fitsBelow = bottom + EDGE + height <= clientHeight;
  card.style.left = `${Math.max(EDGE, Math.min(left, clientWidth - width - EDGE))}px`;
  card.style.top = `${fitsBelow || top < height + EDGE ? bottom + EDGE : top - height - EDGE}px`;
}

document.addEventListener("scroll", hideCard, { passive: true, capture: true });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideCard();
});
