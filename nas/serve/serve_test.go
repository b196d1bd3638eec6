package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"godarts/nas/record"
	"godarts/nas/runfolder"
	_ "godarts/nas/search" // the strategies that configs name
)

// cells are genotypes of two epochs, which differ in an edge.
var cells = []string{
	"Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2])",
	"Genotype(normal=[('dil_conv_5x5', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2])",
}

const searchConfig = "experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\nepochs: 4\nseed: 7\n"

// epochLine returns the line of an epoch, from 0.
func epochLine(epoch int) string {
	return fmt.Sprintf(`{"epoch":%d,"lr":0.1,"train_loss":%g,"valid_accuracy":%g,"genotype":%q}`+"\n",
		epoch, 2-0.1*float64(epoch), 0.5+0.01*float64(epoch), cells[epoch%2])
}

func stepLine(epoch, step int) string {
	return fmt.Sprintf(`{"epoch":%d,"step":%d,"of":100,"lr":0.1,"train_loss":1.25}`+"\n", epoch, step)
}

// makeRun makes the folder of a search with these lines of metrics, and returns it.
func makeRun(t testing.TB, dir, name string, lines ...string) string {
	t.Helper()
	folder := filepath.Join(dir, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, runfolder.ConfigFile), searchConfig)
	write(t, filepath.Join(folder, runfolder.MetricsFile), strings.Join(lines, ""))
	return folder
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// gain appends a line to the metrics in a folder.
func gain(t testing.TB, folder, line string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(folder, runfolder.MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		t.Fatal(err)
	}
}

// start serves dir until the test ends.
func start(t testing.TB, dir, address string) *Server {
	t.Helper()
	s, err := Open(dir, address)
	if err != nil {
		t.Fatal(err)
	}
	serveUntilEnd(t, s)
	return s
}

func serveUntilEnd(t testing.TB, s *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func decode(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
}

// get returns the status and the body of a page.
func get(t testing.TB, s *Server, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + s.listener.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// event is a server-sent event.
type event struct{ name, data string }

// events returns the events of a page, until the test ends.
func events(t testing.TB, s *Server, path string) <-chan event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.listener.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan event, 100)
	go func() {
		defer answer.Body.Close()
		defer close(all)
		lines, name := bufio.NewScanner(answer.Body), ""
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = text
			}
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				all <- event{name, text}
			}
		}
	}()
	return all
}

// slow is more than anything takes on a busy machine: a test that waits for less can fail of slowness alone.
const slow = 2 * time.Minute

// await returns the data of the next event of that name that has a text.
func await(t testing.TB, all <-chan event, name, text string) string {
	t.Helper()
	end := time.After(slow)
	for {
		select {
		case e, open := <-all:
			if !open {
				t.Fatalf("the events ended before %s with %q", name, text)
			}
			if e.name == name && strings.Contains(e.data, text) {
				return e.data
			}
		case <-end:
			t.Fatalf("no event %s with %q within %v", name, text, slow)
		}
	}
}

func TestPages(t *testing.T) {
	// Every page has what its run has written when it is opened.
	dir := t.TempDir()
	makeRun(t, dir, "first", epochLine(0), epochLine(1), stepLine(2, 50))
	second := makeRun(t, dir, "group/second #2", epochLine(0))
	makeRun(t, second, "found")
	makeRun(t, dir, "not yet")
	s := start(t, dir, "127.0.0.1:0")
	for _, test := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/", 200, []string{"first", "epoch 3 of 4, step 50 of 100", "49.00 %", "validation error", "interrupted", `href="/run/group/second%20%232"`, `href="/run/group/second%20%232/found"`}},
		{"/run/first", 200, []string{`<section id="live"`, `<section id="cells"`, `<section id="curves"`, `<section id="config"`, "Search by darts on digits", `data-epochs="1;`, "1.2500"}},
		{"/run/group/second%20%232", 200, []string{"Runs in this one", "found"}},
		{"/run/not%20yet", 200, []string{"epoch 0 of 4"}},
		{"/run/none", 404, []string{"There is no such run here."}},
		{"/compare?run=first&run=group/second+%232", 200, []string{"2 runs", "first", "second #2", `<article data-events="/events/first?key=`, `<section id="table"`}},
		{"/compare?run=first", 400, []string{"Choose 2 to 60 runs"}},
		{"/compare?run=first&run=none", 404, []string{"There is no such run here."}},
		{"/static/live.js", 200, []string{"EventSource"}},
		{"/static/../serve.go", 404, nil},
	} {
		status, body := get(t, s, test.path)
		if status != test.status {
			t.Errorf("%s: status %d, want %d", test.path, status, test.status)
		}
		for _, want := range test.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%s", test.path, want, body)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	// Programs get the summaries of all runs, and all lines of one.
	dir := t.TempDir()
	makeRun(t, dir, "a", epochLine(0), stepLine(1, 50))
	s := start(t, dir, "127.0.0.1:0")
	_, text := get(t, s, "/json")
	var all []Summary
	if decode(t, text, &all); len(all) != 1 {
		t.Fatal(text)
	}
	if a := all[0]; a.Name != "a" || a.State != record.Interrupted || a.Epoch != 1 || a.Step != 50 || a.Epochs != 4 || a.Figure.Value != 50 || a.Seed != 7 {
		t.Errorf("%+v", a)
	}
	_, text = get(t, s, "/json/a")
	var one runData
	if decode(t, text, &one); len(one.Metrics) != 1 || len(one.Steps) != 1 || *one.Metrics[0].TrainLoss != 2 {
		t.Errorf("%s", text)
	}
}

func TestLive(t *testing.T) {
	// Steps, epochs and new runs reach an open page when the files gain them, and each second is one of looking for new runs.
	dir := t.TempDir()
	a := makeRun(t, dir, "a", epochLine(0))
	s := start(t, dir, "127.0.0.1:0")
	if look, scan := s.watch.every, time.Duration(s.watch.scan)*s.watch.every; look > time.Second/4 || scan > time.Second {
		t.Errorf("the server looks every %v, and for new runs every %v", look, scan)
	}
	list, page := events(t, s, "/events?since=0"), events(t, s, "/events/a?key=")
	await(t, page, "live", "epoch 1 of 4")
	await(t, page, "epoch", "")
	gain(t, a, stepLine(1, 50))
	await(t, page, "live", "epoch 2 of 4, step 50 of 100")
	gain(t, a, strings.TrimSuffix(epochLine(1), "\n")) // half a line is none
	gain(t, a, "\n")
	await(t, page, "epoch", "")
	await(t, list, "row", "epoch 2 of 4")
	makeRun(t, dir, "b/new", epochLine(0))
	await(t, list, "row", "b/new")
	lock, err := runfolder.Lock(a)
	if err != nil {
		t.Fatal(err)
	}
	await(t, page, "live", "running")
	lock.Close()
	await(t, page, "live", "interrupted")
	write(t, filepath.Join(a, runfolder.ResultFile), "{}")
	await(t, page, "live", "done")
	if err := os.RemoveAll(a); err != nil {
		t.Fatal(err)
	}
	await(t, list, "reload", "")
}

func TestIdle(t *testing.T) {
	// The server looks at no file when no page is open, and again when one is.
	dir := t.TempDir()
	makeRun(t, dir, "a", epochLine(0))
	s, err := Open(dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.watch.every = 10 * time.Millisecond
	serveUntilEnd(t, s)
	get(t, s, "/")
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.listener.Addr().String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.watch.polls.Load(); n != 0 {
		t.Errorf("%d looks before a page is open", n)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(slow); s.watch.polls.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no look while a page is open")
		}
	}
	cancel()
	answer.Body.Close()
	for end := time.Now().Add(slow); len(s.watch.names()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the page is closed, and still watches")
		}
	}
	before := s.watch.polls.Load()
	time.Sleep(50 * s.watch.every)
	if after := s.watch.polls.Load(); after > before+1 { // one may have been about to begin
		t.Errorf("%d looks after the page was closed", after-before)
	}
}

func TestItself(t *testing.T) {
	// The folder that is served can be a run.
	dir := t.TempDir()
	makeRun(t, dir, ".", epochLine(0), epochLine(1))
	s := start(t, dir, "127.0.0.1:0")
	if status, body := get(t, s, "/run/"); status != 200 || !strings.Contains(body, filepath.Base(dir)+" · godarts") || !strings.Contains(body, `data-events="/events/?key=`) {
		t.Errorf("status %d:\n%s", status, body)
	}
	await(t, events(t, s, "/events/?key="), "live", "epoch 2 of 4")
}

func TestOpenErrors(t *testing.T) {
	// Open says what is wrong in a line when it cannot serve.
	dir := t.TempDir()
	s := start(t, dir, "127.0.0.1:0")
	for _, test := range []struct{ dir, address, want string }{
		{filepath.Join(dir, "none"), "127.0.0.1:0", "serve: there is no folder"},
		{dir, "6006", `serve: address "6006": want HOST:PORT, such as 127.0.0.1:6006`},
		{dir, s.listener.Addr().String(), "address already in use: choose another port, or 0 for a free one"},
	} {
		if _, err := Open(test.dir, test.address); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s at %s: %v, want %q", test.dir, test.address, err, test.want)
		}
	}
}

func BenchmarkList(b *testing.B) {
	// A thousand runs of 50 epochs, each with the distributions of 28 edges, that no look has seen before.
	dir := b.TempDir()
	edge := `{"node":2,"from":0,"p":[0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125],"entropy":2.0794415416798357}`
	mix := `"cells":[{"kind":"normal","operations":["none"],"edges":[` + strings.Repeat(edge+",", 27) + edge + `]}]}` + "\n"
	var lines strings.Builder
	for epoch := range 50 {
		lines.WriteString(strings.TrimSuffix(epochLine(epoch), "}\n") + "," + mix)
	}
	for i := range 1000 {
		makeRun(b, dir, fmt.Sprintf("group-%d/run-%d", i%10, i), lines.String())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			newIndex(root).scan(0)
		}
	})
	x := newIndex(root)
	x.scan(0)
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			x.scan(0)
		}
	})
	b.Run("page", func(b *testing.B) {
		s := &site{root: root, base: "runs", index: x}
		s.watch = newWatch(x)
		for b.Loop() {
			w := &discard{header: http.Header{}}
			s.listPage(w, nil)
		}
	})
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func TestConcurrent(t *testing.T) {
	// Pages are whole when many are asked for at a time and files grow meanwhile.
	dir := t.TempDir()
	a, b := makeRun(t, dir, "a", epochLine(0)), makeRun(t, dir, "b", epochLine(0))
	s := start(t, dir, "127.0.0.1:0")
	events(t, s, "/events/a?key=")
	events(t, s, "/events")
	var readers errgroup.Group
	for range 4 {
		for _, path := range []string{"/", "/run/a", "/run/b", "/compare?run=a&run=b", "/json/a", "/metrics"} {
			readers.Go(func() error {
				answer, err := http.Get("http://" + s.listener.Addr().String() + path)
				if err != nil {
					return err
				}
				defer answer.Body.Close()
				body, err := io.ReadAll(answer.Body)
				if err == nil && (answer.StatusCode != http.StatusOK || strings.HasSuffix(answer.Header.Get("Content-Type"), "html") && !strings.HasSuffix(string(body), "</html>\n")) {
					err = fmt.Errorf("%s: status %d:\n%s", path, answer.StatusCode, body)
				}
				return err
			})
		}
	}
	for epoch := 1; epoch < 4; epoch++ {
		gain(t, a, epochLine(epoch))
		gain(t, b, epochLine(epoch))
		time.Sleep(20 * time.Millisecond)
	}
	if err := readers.Wait(); err != nil {
		t.Error(err)
	}
}
