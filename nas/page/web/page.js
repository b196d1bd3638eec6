// The slider moves the drawings of the cells through the epochs.
"use strict";
function scrubber(section) {
  const bar = section.querySelector(".scrub");
  if (!bar) return;
  const epochs = bar.dataset.epochs.split("|").map(e => e.split(";"));
  const drawings = section.querySelectorAll(".drawing");
  const slider = bar.querySelector("input"), play = bar.querySelector("button"), out = bar.querySelector("output");
  let timer = 0;
  const show = i => {
    const [epoch, pictures, changed] = epochs[i];
    pictures.split(" ").forEach((n, k) => {
      const picture = section.querySelector('template[data-picture="' + n + '"]');
      if (drawings[k] && drawings[k].dataset.shown !== n) {
        drawings[k].replaceChildren(picture.content.cloneNode(true));
        drawings[k].dataset.shown = n;
      }
    });
    out.textContent = bar.dataset.unit + " " + epoch + (changed ? ", " + changed : "");
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "▶"; play.setAttribute("aria-label", "play"); };
  slider.max = epochs.length - 1;
  slider.value = slider.max;
  slider.addEventListener("input", () => { stop(); show(slider.valueAsNumber); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = 0;
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "stop");
    show(slider.valueAsNumber);
    timer = setInterval(() => {
      if (slider.value === slider.max) return stop();
      slider.stepUp();
      show(slider.valueAsNumber);
    }, Math.max(80, Math.min(600, 15000 / epochs.length)));
  });
  bar.hidden = false;
  show(slider.valueAsNumber);
}
document.querySelectorAll("section#cells").forEach(scrubber);
