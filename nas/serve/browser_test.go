package serve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"godarts/nas"
	"godarts/nas/checks"
	"godarts/nas/fixture"
	"godarts/nas/search"
)

// browser is a tab of a browser without a window.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string // what the console has said
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(checks.Chromium(t)), chromedp.WindowSize(1440, 900),
		chromedp.WSURLReadTimeout(slow)) // for its start
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*slow)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.fault(e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			b.fault(fmt.Sprintf("console.%s of %d values", e.Type, len(e.Args)))
		case *log.EventEntryAdded:
			b.fault(fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	})
	b.do("start", log.Enable(), runtime.Enable())
	return b
}

func (b *browser) fault(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, what)
}

// checkConsole fails the test if the console has said anything.
func (b *browser) checkConsole() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.faults {
		b.t.Errorf("console: %s", what)
	}
}

func (b *browser) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// await waits until an expression of JavaScript is true.
func (b *browser) await(expression string) {
	b.t.Helper()
	var body string
	for end := time.Now().Add(slow); ; time.Sleep(20 * time.Millisecond) {
		var is bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate("!!("+expression+")", &is))
		if err == nil && is {
			return
		}
		if time.Now().After(end) {
			_ = chromedp.Run(b.ctx, chromedp.Evaluate("document.body.innerText", &body))
			b.t.Fatalf("not within %v: %s (%v); the page reads:\n%s", slow, expression, err, body)
		}
	}
}

// structure returns what is wrong with the layout of a page: what is cut off at the right or lies over its
// neighbour, and sections that are missing.
const structure = `(wanted => {
	const faults = [], width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > width) faults.push("scrolls sideways: " + document.documentElement.scrollWidth + " of " + width);
	for (const id of wanted) {
		const e = document.getElementById(id);
		if (!e || e.getBoundingClientRect().height === 0) faults.push("lacks " + id);
	}
	const seen = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden" ? r : null; };
	for (const parent of document.querySelectorAll("body, header, main, .tools, .states, .now, .tiles, .facts, .figures, .pair, article, .scrub, .runs tr, form")) {
		const children = [...parent.children].filter(e => !e.matches(".unseen, script, template"));
		children.forEach((a, i) => children.slice(i + 1).forEach(b => {
			const r = seen(a), s = seen(b);
			if (r && s && r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 && s.top < r.bottom - 1) {
				faults.push(a.outerHTML.slice(0, 80) + " overlaps " + b.outerHTML.slice(0, 80));
			}
		}));
		for (const e of children) {
			const r = seen(e);
			if (r && (r.left < -1 || r.right > width + 1)) faults.push("cut off: " + e.outerHTML.slice(0, 80));
		}
	}
	for (const e of document.querySelectorAll("a, strong, .under, .state, h1, h2, button")) {
		const r = seen(e);
		if (r && r.right > width + 1 && !e.closest(".scroll, .wide, .cell")) faults.push("text cut off: " + e.textContent.slice(0, 40));
	}
	return faults;
})`

// checkStructure looks at the page on a wide and on a narrow screen, light and dark. It keeps pictures in the
// folder that GODARTS_SCREENSHOTS names.
func (b *browser) checkStructure(name string, sections ...string) {
	b.t.Helper()
	wanted := `["` + strings.Join(sections, `","`) + `"]`
	if len(sections) == 0 {
		wanted = "[]"
	}
	for _, width := range []int64{1440, 390} {
		for _, scheme := range []string{"light", "dark"} {
			var faults []string
			b.do(name, emulation.SetDeviceMetricsOverride(width, 900, 1, width < 500),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Evaluate(structure+"("+wanted+")", &faults))
			for _, fault := range faults {
				b.t.Errorf("%s at %d pixels: %s", name, width, fault)
			}
			if dir := os.Getenv("GODARTS_SCREENSHOTS"); dir != "" {
				var picture []byte
				b.do("picture", chromedp.FullScreenshot(&picture, 100))
				write(b.t, filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), string(picture))
			}
		}
	}
	b.do("wide again", emulation.ClearDeviceMetricsOverride())
}

func TestBrowser(t *testing.T) {
	// In a browser the page of a search that goes on shows its epochs as they end, the cell of each, and its end.
	b := openBrowser(t)
	dir := t.TempDir()
	other := makeRun(t, dir, "other", epochLine(0), epochLine(1))
	s := start(t, dir, "127.0.0.1:0")
	b.do("list", chromedp.Navigate(s.URL()))
	b.await(`document.getElementById("link").textContent === "live" && document.querySelectorAll("#rows tr").length === 1`)

	next := make(chan struct{}) // lets the search begin its next epoch
	epochs := nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error { <-next; return nil }}
	ended := make(chan error, 1)
	go func() {
		_, err := search.Run(context.Background(), filepath.Join(dir, "search"), fixture.Tiny(t, "epochs=4", "evaluate=null"), nas.Settings{Hooks: []nas.Hooks{epochs}})
		ended <- err
	}()
	defer func() { // if the test fails
		for range 4 {
			select {
			case next <- struct{}{}:
			case <-ended:
				return
			}
		}
	}()
	b.await(`document.querySelectorAll("#rows tr").length === 2 && document.querySelector("#rows tr th").innerText.startsWith("search")`)
	b.await(`document.querySelector("#rows tr").dataset.state === "running" && document.querySelector("#rows tr").innerText.includes("epoch 1 of 4")`)
	b.checkStructure("list", "rows")
	b.do("open the run", chromedp.Focus("#rows tr th a"), chromedp.KeyEvent(kb.Enter)) // a click would miss what a refresh moves
	b.await(`document.querySelector("h1")?.innerText.includes("search") && document.getElementById("live").innerText.includes("epoch 1 of 4")`)

	// The curves grow with each epoch.
	points := `[...document.querySelectorAll("#curves svg *")].length`
	var before, after int
	b.do("count", chromedp.Evaluate(points, &before))
	for epoch := 2; epoch <= 3; epoch++ {
		next <- struct{}{}
		b.await(fmt.Sprintf(`document.getElementById("live").innerText.includes("epoch %d of 4")`, epoch))
		b.await(fmt.Sprintf(`%s > %d && document.querySelector(".scrub output").innerText.startsWith("epoch %d")`, points, before, epoch))
		b.do("count", chromedp.Evaluate(points, &after))
		before = after
	}

	// The slider shows the cell of another epoch, and stays there while the search goes on.
	b.do("first epoch", chromedp.Focus(".scrub input"), chromedp.KeyEvent(kb.Home))
	b.await(`document.querySelector(".scrub output").innerText.startsWith("epoch 1") && document.querySelector(".drawing svg")`)
	next <- struct{}{}
	b.await(`document.querySelector(".scrub input").max === "3"`)
	b.await(`document.querySelector(".scrub output").innerText.startsWith("epoch 1") && document.activeElement === document.querySelector(".scrub input")`)
	b.do("next epoch", chromedp.KeyEvent(kb.ArrowRight))
	b.await(`document.querySelector(".scrub output").innerText.startsWith("epoch 2")`)
	b.checkStructure("live", "head", "live", "cells", "curves", "config")
	next <- struct{}{}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	ended <- nil // for the deferred function
	b.await(`document.querySelector("h1").innerText.includes("done") && document.getElementById("live").hidden`)
	b.checkStructure("done", "head", "cells", "curves", "config", "versions")

	// Two runs stand side by side, and one slider moves both.
	b.do("list", chromedp.Click(".bar a:nth-child(2)"))
	b.await(`document.querySelectorAll("#rows input").length === 2 && document.querySelector(".tools button").disabled`)
	for row := 1; row <= 2; row++ {
		b.do("choose", chromedp.Focus(fmt.Sprintf("#rows tr:nth-child(%d) input", row)), chromedp.KeyEvent(" "))
	}
	b.await(`!document.querySelector(".tools button").disabled`)
	b.do("compare", chromedp.Click(".tools button"))
	b.await(`document.querySelectorAll("article .scrub input").length === 2`)
	b.do("first epoch", chromedp.Focus("article:first-child .scrub input"), chromedp.KeyEvent(kb.Home))
	b.await(`[...document.querySelectorAll("article .scrub output")].every(o => o.innerText.startsWith("epoch 1"))`)
	b.checkStructure("compare", "all", "table")
	gain(t, other, epochLine(2))
	b.await(`document.querySelector('article[data-events*="other"] .scrub input').max === "2"`)
	b.do("missing", chromedp.Navigate(s.URL()+"run/other"))
	b.await(`document.querySelector("h1")?.innerText.includes("other")`)
	b.checkConsole()
}

func TestBrowserHostileNames(t *testing.T) {
	// A browser runs nothing of a name, on any page.
	b := openBrowser(t)
	dir := t.TempDir()
	for _, name := range hostile {
		makeRun(t, dir, name, epochLine(0), epochLine(1))
	}
	s := start(t, dir, "127.0.0.1:0")
	b.do("list", chromedp.Navigate(s.URL()))
	b.await(fmt.Sprintf(`document.querySelectorAll("#rows tr").length === %d`, len(hostile)))
	b.checkStructure("names", "rows")
	for _, name := range hostile {
		b.do(name, chromedp.Navigate(strings.TrimSuffix(s.URL(), "/")+address("run", name)))
		b.await(`document.getElementById("curves") && document.querySelectorAll("main script, main img").length === 0`)
	}
	b.checkConsole()
}
