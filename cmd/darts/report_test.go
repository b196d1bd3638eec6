package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runFolder makes the folder of a run that has begun, of a config.
func runFolder(t *testing.T, dir, config string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReportTables(t *testing.T) {
	// Tables of the runs in a folder are printed, or written to a file, in each format.
	t.Chdir(t.TempDir())
	runFolder(t, "runs/b/one", "experiment: search\ndata: {name: digits}\nepochs: 3\n")
	runFolder(t, "runs/b/one/found", "experiment: train\ngenotype: DARTS_V2\ndata: {name: digits}\n")
	runFolder(t, "runs/two", "experiment: search\ndata: {name: digits}\n")
	runFolder(t, "runs/three", "experiment: search\ndata: {name: digits}\nseed: 3\n")
	runFolder(t, "runs/bad", "experiment: nothing\n")
	if err := os.WriteFile("runs/bad/run.json", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", "runs/loop"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want string
		note bool // that a run cannot be read
	}{
		{"report runs/b/one --markdown", "| run | strategy | seed | state |\n| --- | --- | ---: | --- |\n| one | darts | 2 | interrupted |\n", false},
		{"report runs --text", "run    strategy  epochs  seed  state\nb/one  darts          3     2  interrupted\n" +
			"three  darts         50     3  interrupted\ntwo    darts         50     2  interrupted\n", true},
		{"report runs --fold --markdown", "| run | strategy | epochs | runs | state |\n| --- | --- | ---: | ---: | --- |\n" +
			"| b/one | darts | 3 | 1 | interrupted |\n| t* | darts | 50 | 2 | interrupted |\n", true},
		{"report runs/two runs/two/ --latex -o t.tex", "t.tex\n", false},
		{"report runs --tensorboard events", "events\n", true},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(strings.Fields(test.args), &stdout, &stderr); status != exitOK {
				t.Fatalf("status %d, stderr %q", status, stderr.String())
			}
			if stdout.String() != test.want {
				t.Errorf("got\n%s, want\n%s", stdout.String(), test.want)
			}
			if noted := strings.HasPrefix(stderr.String(), "note: ") && strings.Contains(stderr.String(), "bad"); noted != test.note {
				t.Errorf("stderr %q", stderr.String())
			}
		})
	}
	tex, err := os.ReadFile("t.tex")
	if err != nil || !strings.Contains(string(tex), `\toprule`) || strings.Count(string(tex), "two & ") != 1 {
		t.Errorf("%v, %s", err, tex)
	}
	for _, run := range []string{"b/one", "two", "three"} {
		if files, err := filepath.Glob(filepath.Join("events", run, "*tfevents*")); err != nil || len(files) != 1 {
			t.Errorf("%d event files of %s, %v", len(files), run, err)
		}
	}
	for args, want := range map[string]string{
		"report runs --fold":                            "darts: report: --fold is for a table: give --text, --csv, --markdown or --latex too\n",
		"report runs -o page.csv":                       "darts: report: -o page.csv: wanted a name that ends in .html, or one of --text, --csv, --markdown and --latex\n",
		"report runs/two -o no/page.html":               "darts: write no/page.html: no such file or directory\n",
		"report runs --csv --latex":                     "darts: report: one of --text, --csv, --markdown and --latex wanted, 2 given\n",
		"report none --csv":                             "darts: report: there is no folder none\n",
		"report t.tex --csv":                            "darts: report: there is no folder t.tex\n",
		"report runs/bad --csv":                         "darts: report: config: runs/bad/config.yaml:1: experiment: given \"nothing\", want search or train or ",
		"report runs/two --csv -o runs/two/config.yaml": "darts: report: runs/two/config.yaml belongs to the run: choose another -o\n",
		"report runs/two --csv -o no/file":              "darts: write no/file: no such file or directory\n",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(args), &stdout, &stderr); status != exitUsage || !strings.HasPrefix(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("%s: status %d, stderr %q, want %q", args, status, stderr.String(), want)
		}
	}
}

func TestReportPages(t *testing.T) {
	// The page of a run lies in its folder, that of several where they are, unless -o names another place.
	t.Chdir(t.TempDir())
	runFolder(t, "runs/one", "experiment: search\ndata: {name: digits}\n")
	runFolder(t, "runs/<script>alert(1)<_script>", "experiment: search\ndata: {name: digits}\nseed: 3\n")
	for _, test := range []struct{ args, file, has string }{
		{"report runs/one", "runs/one/report.html", "Search by darts on digits"},
		{"report runs", "runs/report.html", "&lt;script&gt;alert(1)&lt;_script&gt;"},
		{"report runs/one runs/<script>alert(1)<_script>", "report.html", "&lt;script&gt;alert(1)&lt;_script&gt;"},
		{"report runs/one -o mine.html", "mine.html", "<title>one"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(test.args), &stdout, &stderr); status != exitOK || stdout.String() != test.file+"\n" {
			t.Errorf("%s: status %d, %q, %q", test.args, status, stdout.String(), stderr.String())
		}
		text, err := os.ReadFile(test.file)
		if err != nil || !strings.Contains(string(text), test.has) || strings.Contains(string(text), "<script>alert") {
			t.Errorf("%s: %v, %d bytes without %q", test.args, err, len(text), test.has)
		}
	}
}

func TestTensorBoard(t *testing.T) {
	// A search with --tensorboard writes an event file for itself and one for each of its trainings, with the cells' names.
	t.Chdir(t.TempDir())
	printed(t, "search", "quickstart", "--set", "epochs=1", "--set", "data.subset=32", "--set", "evaluate.epochs=1",
		"--threads", "1", "--tensorboard", "--out", "run")
	for folder, tag := range map[string]string{"run": "result/random-1/test_error", "run/found": "result/test_error", "run/random-1": "result/test_error"} {
		files, err := filepath.Glob(filepath.Join(folder, "events", "*tfevents*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%d event files in %s, %v", len(files), folder, err)
		}
		content, err := os.ReadFile(files[0])
		if err != nil || !bytes.Contains(content, []byte(tag)) {
			t.Errorf("%s: no %s, %v", folder, tag, err)
		}
	}
}
