// What ipywidgets leaves out for readers without a mouse or without sight: a slider's handle gets the name and
// the value that are written beside it (a logarithmic one would tell its exponent), and Python learns whether the reader
// asked the system for less motion.

function nameHandles(explorer) {
  for (const handle of explorer.querySelectorAll(".widget-slider [role=slider]")) {
    const slider = handle.closest(".widget-slider");
    for (const [attribute, place] of [["aria-label", ".widget-label"], ["aria-valuetext", ".widget-readout"]]) {
      const text = slider.querySelector(place)?.textContent;
      if (text && handle.getAttribute(attribute) !== text) handle.setAttribute(attribute, text);
    }
    const disabled = String(slider.querySelector("[disabled]") !== null);
    if (handle.getAttribute("aria-disabled") !== disabled) handle.setAttribute("aria-disabled", disabled);
  }
}

function render({ model, el }) {
  const watcher = new MutationObserver(() => nameHandles(watcher.explorer));
  const waiting = setInterval(() => { // until this element and the explorer around it are in the page
    watcher.explorer = el.closest(".nnlib-explorer");
    if (!watcher.explorer) return;
    clearInterval(waiting);
    nameHandles(watcher.explorer);
    watcher.observe(watcher.explorer, {
      childList: true, characterData: true, attributeFilter: ["aria-valuetext", "disabled"], subtree: true,
    });
  }, 50);
  const less = window.matchMedia("(prefers-reduced-motion: reduce)");
  const tell = () => {
    if (model.get("calm") === less.matches) return;
    model.set("calm", less.matches);
    model.save_changes();
  };
  tell();
  less.addEventListener("change", tell);
  return () => {
    clearInterval(waiting);
    watcher.disconnect();
    less.removeEventListener("change", tell);
  };
}

export default { render };
