package serve

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hold remembers what is a reader's on a page: focus, selection, what is unfolded, ticked or scrolled.
const hold = `(() => {
	const details = [...document.querySelectorAll("details")], boxes = [...document.querySelectorAll(".wide, .cell, .scroll")];
	const ticks = [...document.querySelectorAll("input[type=checkbox]")], links = [...document.querySelectorAll("a")];
	const read = () => JSON.stringify([scrollX, scrollY, String(getSelection()), details.map(d => d.open), boxes.map(b => b.scrollLeft), ticks.map(t => t.checked)]);
	const focused = document.activeElement, before = read();
	return window.lost = () => {
		const all = [focused, ...details, ...boxes, ...ticks, ...links];
		if (document.activeElement !== focused) return "the focus is at " + document.activeElement.outerHTML.slice(0, 80);
		if (!all.every(e => e.isConnected)) return "another element is in place of " + all.find(e => !e.isConnected).outerHTML.slice(0, 80);
		return read() === before ? "" : before + " became " + read();
	}, true;
})()`

// checkHeld fails the test if the page lost what hold remembers.
func (b *browser) checkHeld(what string) {
	b.t.Helper()
	var lost string
	if b.do(what, chromedp.Evaluate("window.lost()", &lost)); lost != "" {
		b.t.Errorf("%s: %s", what, lost)
	}
}

// sequence returns the lines of epochs from 0.
func sequence(epochs int) (lines []string) {
	for epoch := range epochs {
		lines = append(lines, epochLine(epoch))
	}
	return lines
}

func TestBrowserKeepsWhatIsTheReaders(t *testing.T) {
	// A refresh of a page leaves the focus, the chosen epoch, what plays, is unfolded, ticked, selected or scrolled when a run goes on.
	b := openBrowser(t)
	dir := t.TempDir()
	one := makeRun(t, dir, "one", sequence(119)...)
	makeRun(t, dir, "two", sequence(3)...)
	s := start(t, dir, "127.0.0.1:0")
	slider, output := `document.querySelector(".scrub input")`, `document.querySelector(".scrub output").innerText`
	b.do("run", emulation.SetDeviceMetricsOverride(390, 700, 1, true), chromedp.Navigate(s.URL()+"run/one"))
	b.await(slider + `?.max === "118" && document.getElementById("link").textContent === "live"`)
	b.do("choose", chromedp.Focus(".scrub input"), chromedp.KeyEvent(kb.Home), chromedp.Evaluate(`choose(document.querySelector(".scrub"), 60, "input");
		for (const d of document.querySelectorAll("details")) d.open = true;
		for (const w of document.querySelectorAll(".wide, .cell, .scroll")) w.scrollLeft = 20;
		getSelection().selectAllChildren(document.querySelector("#versions ~ p, #config pre"));
		scrollTo(0, 150)`, nil), chromedp.Evaluate(hold, nil))
	b.await(output + `.startsWith("epoch 60,")`)

	gain(t, one, epochLine(119)) // the last time that each epoch has its drawing
	b.await(slider + `.max === "119"`)
	b.checkHeld("an epoch")
	b.await(output + `.startsWith("epoch 60,")`)
	gain(t, one, epochLine(120)) // from now on each second one
	b.await(slider + `.max === "60"`)
	b.checkHeld("fewer drawings")
	b.await(output + `.startsWith("epoch 59,")`)

	// What plays goes on; ticks come from here, not from the clock.
	b.do("play", chromedp.Evaluate(`window.setInterval = f => { window.tick = f; return 1; }; document.querySelector(".scrub button").focus()`, nil),
		chromedp.KeyEvent(" "), chromedp.Evaluate(hold, nil), chromedp.Evaluate(`tick()`, nil))
	b.await(output + `.startsWith("epoch 61,")`)
	gain(t, one, epochLine(121))
	b.await(slider + `.max === "61"`)
	b.do("tick", chromedp.Evaluate(`tick()`, nil))
	b.await(output + `.startsWith("epoch 63,") && document.querySelector(".scrub button").getAttribute("aria-label") === "stop"`)
	b.checkHeld("playing")

	// The slider that shows the last epoch follows.
	b.do("last epoch", chromedp.Focus(".scrub input"), chromedp.KeyEvent(kb.End), chromedp.Evaluate(hold, nil))
	gain(t, one, epochLine(122))
	b.await(output + `.startsWith("epoch 123,")`)
	b.checkHeld("following")

	b.do("list", emulation.ClearDeviceMetricsOverride(), chromedp.Navigate(s.URL()))
	b.await(`document.getElementById("link").textContent === "live" && document.querySelectorAll("#rows tr").length === 2`)
	for _, name := range []string{"one", "two"} {
		b.do("tick", chromedp.Focus(fmt.Sprintf(`input[value=%q]`, name)), chromedp.KeyEvent(" "))
	}
	b.await(`!document.querySelector(".tools button").disabled`)
	b.do("link", chromedp.Focus(`a[href$="run/one"]`), chromedp.Evaluate(hold, nil))
	gain(t, one, stepLine(123, 50))
	b.await(`[...document.querySelectorAll("#rows tr")].some(row => row.innerText.includes("step 50 of 100"))`)
	b.checkHeld("a step")
	makeRun(t, dir, "three", epochLine(0))
	b.await(`document.querySelectorAll("#rows tr").length === 3`)
	b.checkHeld("another run")

	b.do("compare", chromedp.Focus(".tools button"), chromedp.KeyEvent(kb.Enter))
	b.await(`document.querySelectorAll("article .scrub input").length === 2 && document.getElementById("link").textContent === "live"`)
	b.do("first epoch", chromedp.Focus("article:first-child .scrub input"), chromedp.KeyEvent(kb.Home), chromedp.Evaluate(hold, nil))
	gain(t, one, epochLine(123))
	b.await(`document.querySelector('article[data-events*="one"] .scrub').dataset.epochs.split("|").pop().startsWith("124;")`)
	b.checkHeld("comparison")
	b.await(`[...document.querySelectorAll("article .scrub output")].every(o => o.innerText.startsWith("epoch 1"))`)
	b.checkConsole()
}
