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

  // become makes an element what the server says of it now. Elements stay where they can, and with them all
  // that is the reader's: the focus, a tick, what is unfolded, how far something is scrolled, a selection.
  function become(old, fresh) {
    if (old.matches("svg, template")) {
      if (old.outerHTML !== fresh.outerHTML) old.replaceWith(fresh);
      return;
    }
    const slider = old.matches(".scrub"); // what is in it is the script's, as are the drawings it moves
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !(slider && name === "hidden")) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !slider && !(name === "open" && old.matches("details"))) old.removeAttribute(name);
    }
    if (slider || old.matches(".drawing") && fresh.closest("section").querySelector(".scrub")) return;
    const before = [...old.childNodes], after = [...fresh.childNodes], kept = pairs(before, after);
    for (const node of before) {
      if (!kept.has(node)) node.remove();
    }
    const goesOn = new Map([...kept].map(([was, now]) => [now, was]));
    let place = old.firstChild;
    for (const now of after) {
      const was = goesOn.get(now);
      if (!was) {
        old.insertBefore(now, place);
        continue;
      }
      place = was.nextSibling;
      if (was.nodeType === Node.ELEMENT_NODE) become(was, now);
      else if (was.data !== now.data) was.data = now.data;
    }
  }

  // pairs returns which nodes of one list go on as which of the other, in order: those of the same kind and
  // id from the start, then as many as can.
  function pairs(before, after) {
    const kept = new Map(), kind = node => node.nodeName + " " + (node.id || "");
    let first = 0;
    const alike = (i, j) => kind(before[i]) === kind(after[j]);
    while (first < before.length && first < after.length && alike(first, first)) kept.set(before[first], after[first++]);
    if (first === before.length || first === after.length) return kept;
    const most = [...Array(before.length + 1)].map(() => new Uint16Array(after.length + 1)); // pairs from i and j on
    for (let i = before.length - 1; i >= first; i--) {
      for (let j = after.length - 1; j >= first; j--) {
        most[i][j] = alike(i, j) ? 1 + most[i + 1][j + 1] : Math.max(most[i + 1][j], most[i][j + 1]);
      }
    }
    for (let i = first, j = first; i < before.length && j < after.length;) {
      if (alike(i, j)) kept.set(before[i++], after[j++]);
      else if (most[i + 1][j] >= most[i][j + 1]) i++;
      else j++;
    }
    return kept;
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
          become(old, made);
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

  // parts returns what each followed run has on a page: an article of a comparison, or all of it.
  function parts(page) { return document.querySelector("article") ? [...page.querySelectorAll("article")] : [page]; }

  // renew makes the sections of this page those of another.
  function renew(page) {
    const now = parts(page);
    parts(document).forEach((root, i) => {
      for (const old of root.querySelectorAll("section[id], h2 .state")) {
        const fresh = now[i].querySelector(old.id ? "section#" + old.id : "h2 .state");
        if (!fresh) continue;
        if (old.id === "live") old.hidden = fresh.hidden; // once the run is done; the rest comes in events
        else become(old, fresh);
        if (old.id === "cells") scrubber(old);
      }
    });
    for (const old of document.querySelectorAll("#all section")) become(old, page.querySelector("#all #" + old.id));
  }

  // fetchPage fetches this page. It returns null if there was no answer.
  let asked = 0, shown = 0;
  async function fetchPage() {
    const mine = ++asked;
    try {
      const answer = await fetch(location.href);
      if (answer.ok) return { mine, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
    } catch { /* no connection, which follow says */ }
    return null;
  }

  // followRun keeps the page of a run, or one of two: the live section comes in events, the others are
  // fetched when an event says that they changed.
  function followRun(root, start) {
    let address = start;
    follow(() => address, {
      live: html => {
        const live = root.querySelector("#live, .live"), fresh = live.cloneNode();
        fresh.innerHTML = html;
        become(live, fresh);
      },
      epoch: async key => {
        const answer = await fetchPage();
        if (!answer) return; // the next connection says again that it changed
        address = address.replace(/key=.*/, "key=" + key);
        if (answer.mine < shown) return; // a later answer came before this one
        shown = answer.mine;
        renew(answer.page);
      },
      reload: () => location.reload(),
    });
  }

  // together lets the slider of one of two runs move the other to the same epoch, or to its last one.
  function together() {
    document.addEventListener("input", e => {
      if (!e.isTrusted || !e.target.matches(".scrub input")) return;
      const moved = e.target.closest(".scrub");
      for (const other of document.querySelectorAll("article .scrub")) {
        if (other !== moved) choose(other, Number(moved.dataset.shown), "input");
      }
    });
  }

  const rows = document.getElementById("rows"), articles = document.querySelectorAll("article");
  if (rows && document.getElementById("filter")) {
    followList(rows);
  } else if (document.body.dataset.events) {
    followRun(document, document.body.dataset.events);
  } else if (articles.length) {
    articles.forEach(article => followRun(article, article.dataset.events));
    together();
  }
})();
