package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTail(t *testing.T) {
	// Each whole line comes once when a file grows, and all again when it is cut, replaced or removed.
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	file := filepath.Join(dir, "lines")
	lines := tail{file: "lines"}
	var got []string
	check := func(what string, want ...string) {
		t.Helper()
		err := lines.next(root, func() { got = append(got, "again") }, func(line []byte) { got = append(got, strings.TrimSpace(string(line))) })
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		got = nil
	}
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	check("no file")
	add("a\nb\nha")
	check("two lines and a part", "a", "b")
	check("nothing new")
	add("lf\n")
	check("the rest of the part", "half")
	long := strings.Repeat("x", 200<<10)
	add(long[:100<<10])
	check("the start of a long line")
	add(long[100<<10:] + "\nc\n")
	check("a long line", long, "c")
	add(strings.Repeat("y", longestLine+1))
	check("the start of one that is too long")
	add("y\nd\n")
	check("what follows one that is too long", "d")
	write(t, file, "a\n")
	check("cut", "again", "a")
	write(t, file+"-new", "a\nb\nc\n")
	if err := os.Rename(file+"-new", file); err != nil {
		t.Fatal(err)
	}
	check("replaced", "again", "a", "b", "c")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	check("removed", "again")
	if err := os.Mkdir(file, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := lines.next(root, func() {}, func([]byte) {}); err == nil {
		t.Error("a folder gives no error")
	}
}

func TestSummary(t *testing.T) {
	// A summary has the figure by which each kind of run is judged, of the best epoch where images are held out.
	const train = "experiment: train\ngenotype: DARTS_V2\ndata: {name: digits}\nepochs: 3\n"
	for _, test := range []struct {
		name, config, metrics, result string
		want                          Figure
	}{
		{"search", searchConfig, `{"epoch":0,"valid_accuracy":0.5}` + "\n" + `{"epoch":1,"valid_accuracy":0.25}` + "\n", "", Figure{"validation error", 50, "%", true}},
		{"text", searchConfig, `{"epoch":0,"valid_perplexity":90}` + "\n" + `{"epoch":1,"valid_perplexity":80.5}` + "\n", "", Figure{"validation perplexity", 80.5, "", true}},
		{"training", train, `{"epoch":0,"test_accuracy":0.75}` + "\n" + `{"epoch":1,"test_accuracy":0.5}` + "\n", "", Figure{"test error", 50, "%", false}},
		{"complete", train, `{"epoch":0,"test_accuracy":0.75}` + "\n", `{"test_error":2.5,"test_loss":0.1}`, Figure{"test error", 2.5, "%", false}},
		{"held out", train, "", `{"valid_error":3.5,"valid_loss":0.1}`, Figure{"validation error", 3.5, "%", false}},
		{"damaged", "experiment: nothing\n", "no JSON\n[1]\n{\n", "{", Figure{}},
		{"empty", searchConfig, "", "", Figure{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "config.yaml"), test.config)
			write(t, filepath.Join(dir, "metrics.jsonl"), test.metrics)
			if test.result != "" {
				write(t, filepath.Join(dir, "result.json"), test.result)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			l, err := newIndex(root).find(".")
			if err != nil {
				t.Fatal(err)
			}
			if l.Figure != test.want {
				t.Errorf("figure %+v, want %+v", l.Figure, test.want)
			}
			if damaged := test.name == "damaged"; damaged != (l.Problem != "") {
				t.Errorf("problem %q", l.Problem)
			}
		})
	}
}

func TestPrometheus(t *testing.T) {
	// Prometheus reads each line when names have what its format escapes.
	dir := t.TempDir()
	makeRun(t, dir, "a\\b\"c\nd", epochLine(0))
	s := start(t, dir, "127.0.0.1:0")
	_, text := get(t, s, "/metrics")
	for _, want := range []string{
		"# HELP godarts_run_epochs Epochs of the whole run.\n# TYPE godarts_run_epochs gauge\n" + `godarts_run_epochs{run="a\\b\"c\nd"} 4` + "\n",
		`godarts_run_state{run="a\\b\"c\nd",state="interrupted"} 1` + "\n",
		`godarts_run_figure{run="a\\b\"c\nd",figure="validation error"} 50` + "\n",
		`godarts_run_train_loss{run="a\\b\"c\nd"} 2` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "items_per_second{") {
		t.Errorf("a rate of a run that does not go:\n%s", text)
	}
}
