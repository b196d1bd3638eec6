// The slider moves the drawings of the cells through the epochs.
"use strict";
// epochsOf returns [epoch, pictures, change] of each position of a slider.
function epochsOf(bar) { return bar.dataset.epochs.split("|").map(e => e.split(";")); }
// choose moves the slider to an epoch, or to the last one before it, and tells it so by an event: "input", or "show",
// which lets the drawings play on.
function choose(bar, epoch, event) {
  const slider = bar.querySelector("input");
  slider.value = Math.max(0, epochsOf(bar).findLastIndex(e => Number(e[0]) <= epoch));
  slider.dispatchEvent(new Event(event));
}
// scrubber lets the slider of a section work. Called again, it takes over what the section holds now.
function scrubber(section) {
  const bar = section.querySelector(".scrub");
  if (!bar) return;
  const slider = bar.querySelector("input"), play = bar.querySelector("button"), out = bar.querySelector("output");
  const fresh = bar.hidden, chosen = fresh || slider.value === slider.max ? Infinity : Number(bar.dataset.shown);
  slider.max = epochsOf(bar).length - 1;
  if (fresh) {
    let timer = 0;
    const show = () => {
      const [epoch, pictures, changed] = epochsOf(bar)[slider.valueAsNumber], drawings = section.querySelectorAll(".drawing");
      pictures.split(" ").forEach((n, k) => {
        const picture = section.querySelector('template[data-picture="' + n + '"]');
        if (drawings[k] && drawings[k].innerHTML !== picture.innerHTML) drawings[k].replaceChildren(picture.content.cloneNode(true));
      });
      bar.dataset.shown = epoch;
      out.textContent = bar.dataset.unit + " " + epoch + (changed ? ", " + changed : "");
    };
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "▶"; play.setAttribute("aria-label", "play"); };
    slider.addEventListener("show", show);
    slider.addEventListener("input", () => { stop(); show(); });
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (slider.value === slider.max) slider.value = 0;
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "stop");
      show();
      timer = setInterval(() => {
        if (slider.value === slider.max) return stop();
        slider.stepUp();
        show();
      }, Math.max(80, Math.min(600, 15000 / epochsOf(bar).length)));
    });
    bar.hidden = false;
  }
  choose(bar, chosen, "show");
}
document.querySelectorAll("section#cells").forEach(scrubber);
