// Keeps an open page as the files of the runs are. Without it the pages read as they were when opened.
"use strict";
(() => {
  // follow gets events while the page is in sight: an unseen page costs nothing.
  function follow(address, handlers) {
    const mark = document.getElementById("link");
    let source = null;
    const say = (text, kind) => { mark.hidden = false; mark.textContent = text; mark.className = kind; };
    const open = () => {
      if (source || document.hidden) return;
      source = new EventSource(address());
      source.onopen = () => say("live", "");
      source.onerror = () => {
        say("no connection", "lost");
        if (source.readyState === EventSource.CLOSED) { close(); setTimeout(open, 5000); }
      };
      for (const [event, handle] of Object.entries(handlers)) {
        source.addEventListener(event, e => handle(JSON.parse(e.data), e));
      }
    };
    const close = () => { if (source) source.close(); source = null; };
    document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
    window.addEventListener("pagehide", close);
    window.addEventListener("pageshow", open);
    open();
  }

  // followList keeps the list of runs: rows change in place, new ones come first.
  function followList(rows) {
    let address = document.body.dataset.events;
    const field = document.getElementById("filter"), button = document.querySelector(".tools button");
    const count = () => {
      for (const item of document.querySelectorAll(".states li")) {
        item.querySelector(".count").textContent = rows.querySelectorAll(`tr[data-state="${item.dataset.state}"]`).length;
      }
    };
    const filter = () => {
      const words = field.value.toLowerCase().split(/\s+/);
      for (const row of rows.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
      }
    };
    const picked = () => { button.disabled = rows.querySelectorAll("input:checked").length < 2; };
    follow(() => address, {
      row: (row, e) => {
        address = "/events?since=" + e.lastEventId;
        const template = document.createElement("template");
        template.innerHTML = row.html;
        const made = template.content.querySelector("tr"), old = document.getElementById(row.id);
        if (old) {
          made.querySelector("input").checked = old.querySelector("input").checked;
          old.replaceWith(made);
        } else {
          rows.prepend(made);
        }
        document.getElementById("none")?.remove();
        count();
        filter();
      },
      reload: () => location.reload(),
    });
    field.parentElement.hidden = false;
    field.addEventListener("input", filter);
    rows.addEventListener("change", picked);
    picked();
  }

  const made = new WeakMap(); // what the server sent of each section, before scripts changed it
  for (const section of document.querySelectorAll("section")) made.set(section, section.innerHTML);

  // renew puts the new form of a section in its place. The epoch that was chosen and what was unfolded stay.
  function renew(old, fresh) {
    if (!fresh || made.get(old) === fresh.innerHTML) return;
    made.set(old, fresh.innerHTML);
    const slider = old.querySelector(".scrub input");
    const chosen = slider && slider.value !== slider.max ? slider.value : null, focused = slider && document.activeElement === slider;
    const unfolded = [...old.querySelectorAll("details")].map(d => d.open);
    old.replaceChildren(...fresh.childNodes);
    old.hidden = fresh.hidden;
    old.querySelectorAll("details").forEach((d, i) => { d.open = unfolded[i] || false; });
    if (old.id !== "cells") return;
    scrubber(old);
    const now = old.querySelector(".scrub input");
    if (now && chosen !== null) move(now, chosen);
    if (now && focused) now.focus();
  }

  function move(slider, epoch) {
    slider.value = Math.min(epoch, slider.max);
    slider.dispatchEvent(new Event("input"));
  }

  // followRun keeps the page of a run, or one of two: the live section comes in events, the others are
  // fetched when an event says that they changed. part finds what belongs to root in a fetched page.
  function followRun(root, start, part) {
    let address = start;
    follow(() => address, {
      live: html => { root.querySelector("#live, .live").innerHTML = html; },
      epoch: async key => {
        const answer = await fetch(location.href);
        if (!answer.ok) return;
        address = address.replace(/key=.*/, "key=" + key);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html"), fresh = part(page);
        for (const section of root.querySelectorAll("section[id]:not(#live)")) renew(section, fresh.querySelector("#" + section.id));
        for (const section of document.querySelectorAll("#all section")) renew(section, page.querySelector("#all #" + section.id));
        const live = root.querySelector("#live");
        if (live) live.hidden = fresh.querySelector("#live").hidden; // once the run is done
        root.querySelector("h2 .state")?.replaceWith(fresh.querySelector("h2 .state"));
      },
      reload: () => location.reload(),
    });
  }

  // together lets the slider of one of two runs move the other to the same epoch, or to its last one.
  function together() {
    document.addEventListener("input", e => {
      if (!e.isTrusted || !e.target.matches(".scrub input")) return;
      for (const other of document.querySelectorAll("article .scrub input")) {
        if (other !== e.target) move(other, e.target.value);
      }
    });
  }

  const rows = document.getElementById("rows"), articles = document.querySelectorAll("article");
  if (rows && document.getElementById("filter")) {
    followList(rows);
  } else if (document.body.dataset.events) {
    followRun(document, document.body.dataset.events, page => page);
  } else if (articles.length) {
    articles.forEach((article, i) => followRun(article, article.dataset.events, page => page.querySelectorAll("article")[i]));
    together();
  }
})();
