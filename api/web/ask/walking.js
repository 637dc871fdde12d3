/** The arrow keys walk from source to source. */

const SOURCES = ".evidence button[data-marker], .evidence .closest .link";
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };

/**
 * Left and right walk the sources of the last answer from anywhere but a field; up and down, which scroll elsewhere,
 * from a source to the next. Where a source is open, the next one is opened; in its panel the arrows are its own. Ends
 * with `signal`.
 */
export function walking(thread, signal) {
  const onKey = (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
    const { target } = event;
    if (target.closest?.("#source, input, textarea, select, summary, [role=tablist], [contenteditable]")) return;
    const own = target.closest?.(".turn") || [...thread.querySelectorAll(".turn")].at(-1);
    const sources = [...(own?.querySelectorAll(SOURCES) || [])];
    const isVertical = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (!sources.length || (isVertical && !sources.includes(target) && !target.matches?.(".chip"))) return;
    const at = sources.findIndex((one) => (target.dataset?.marker ? sameSource(one, target) : one.matches(".walked")));
    const next = sources[at < 0 ? (step > 0 ? 0 : sources.length - 1) : (at + step + sources.length) % sources.length];
    event.preventDefault();
    for (const one of sources) one.classList.toggle("walked", one === next);
    if (document.body.classList.contains("reading")) next.click();
    else next.focus();
  };
  document.addEventListener("keydown", onKey, { signal });
}

function sameSource(source, chip) {
  return source === chip || source.dataset.marker === chip.dataset.marker;
}
