// Keeps an open page as the files of the runs are. Without it the pages read as they were when opened.
"use strict";

// watch follows events while the page is in sight: an unseen page costs nothing.
function watch(address, handlers) {
	let source = null;
	const mark = document.getElementById("link");
	const open = () => {
		if (source || document.hidden) return;
		source = new EventSource(address());
		source.onopen = () => { mark.hidden = false; mark.className = ""; mark.textContent = "live"; };
		source.onerror = () => { mark.hidden = false; mark.className = "lost"; mark.textContent = "no connection"; };
		for (const [event, handle] of Object.entries(handlers)) {
			source.addEventListener(event, e => handle(JSON.parse(e.data), e));
		}
	};
	document.addEventListener("visibilitychange", () => {
		if (document.hidden && source) { source.close(); source = null; }
		open();
	});
	window.addEventListener("pagehide", () => { if (source) { source.close(); source = null; } });
	window.addEventListener("pageshow", open);
	open();
}

// The list: rows change in place, new ones come first.
function followList() {
	const rows = document.getElementById("rows");
	let since = document.body.dataset.events;
	watch(() => since, {
		row: (row, e) => {
			since = "/events?since=" + e.lastEventId;
			const template = document.createElement("template");
			template.innerHTML = row.html;
			const made = template.content.querySelector("tr");
			const old = document.getElementById(row.id);
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
	const count = () => {
		for (const item of document.querySelectorAll(".states li")) {
			item.querySelector(".count").textContent = rows.querySelectorAll(`tr[data-state="${item.dataset.state}"]`).length;
		}
	};
	const field = document.getElementById("filter");
	const filter = () => {
		const words = field.value.toLowerCase().split(/\s+/);
		for (const row of rows.rows) {
			const text = row.textContent.toLowerCase();
			row.hidden = !words.every(w => text.includes(w));
		}
	};
	field.parentElement.hidden = false;
	field.addEventListener("input", filter);
	const button = document.querySelector("form button");
	const picked = () => {
		const n = rows.querySelectorAll("input:checked").length;
		button.disabled = n !== 2;
		for (const box of rows.querySelectorAll("input:not(:checked)")) box.disabled = n >= 2;
	};
	rows.addEventListener("change", picked);
	picked();
}

// scrubber moves the drawings of a part of the page to an epoch of the slider.
function scrubber(part) {
	const slider = part.querySelector(".scrub");
	if (!slider) return;
	const epochs = slider.dataset.epochs.split(" ").map(e => e.split(":").map(Number));
	const show = () => {
		const [epoch, changed, of] = epochs[slider.value - 1];
		slider.setAttribute("aria-valuetext", "epoch " + epoch);
		part.querySelector("output").textContent = epoch;
		part.querySelector(".edges").textContent = of ? ` · ${changed} of ${of} edges changed` : "";
		for (const image of part.querySelectorAll("img[data-kind]")) {
			const address = `${image.dataset.address}?epoch=${epoch}&kind=${image.dataset.kind}`;
			if (image.getAttribute("src") !== address) image.src = address;
		}
		part.querySelectorAll(".strip rect").forEach((bar, i) => bar.classList.toggle("here", i === slider.value - 1));
	};
	slider.addEventListener("input", show);
	if (slider.max > 1) show();
}

// replace puts the new form of a part of the page in its place, and keeps the epoch that was chosen.
function replace(old, made) {
	if (!made || old.dataset.made === made.innerHTML) return;
	const text = made.innerHTML, before = old.querySelector(".scrub"), after = made.querySelector(".scrub");
	if (before && after && before.value !== before.max) after.value = Math.min(before.value, after.max);
	const focused = before && document.activeElement === before;
	old.replaceChildren(...made.childNodes);
	old.dataset.made = text;
	scrubber(old);
	if (focused) old.querySelector(".scrub")?.focus();
}

// A run, or one of two: its live part comes in events, the rest is fetched when an event says so.
function followRun(root, address, part) {
	let at = address;
	watch(() => at, {
		live: html => {
			const live = root.querySelector("#live, .live");
			live.innerHTML = html;
		},
		epoch: async key => {
			at = at.replace(/key=.*/, "key=" + key);
			const answer = await fetch(location.href);
			if (!answer.ok) return;
			const page = part(new DOMParser().parseFromString(await answer.text(), "text/html"));
			for (const section of root.querySelectorAll("section:not(#live):not(.live)")) {
				replace(section, page.querySelector(section.id ? "#" + section.id : "section." + section.className));
			}
		},
		reload: () => location.reload(),
	});
}

// sync lets one slider of two runs move the other to the same epoch, or to its last one.
function sync() {
	document.addEventListener("input", e => {
		if (!e.target.classList.contains("scrub") || !e.isTrusted) return;
		for (const other of document.querySelectorAll("article .scrub")) {
			if (other === e.target) continue;
			other.value = Math.min(e.target.value, other.max);
			other.dispatchEvent(new Event("input"));
		}
	});
}

for (const part of document.querySelectorAll("section")) scrubber(part);
if (document.getElementById("rows") && document.getElementById("filter")) {
	followList();
} else if (document.body.dataset.events) {
	followRun(document, document.body.dataset.events, page => page);
} else {
	document.querySelectorAll("article").forEach((article, i) => {
		followRun(article, article.dataset.events, page => page.querySelectorAll("article")[i]);
	});
	sync();
}
