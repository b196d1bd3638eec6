package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// plotted makes a run that has recorded two epochs.
func plotted(t *testing.T, dir, config string) {
	t.Helper()
	runFolder(t, dir, config)
	const g = "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=range(2, 3), reduce=[('skip_connect', 0), ('none', 1)], reduce_concat=range(2, 3))"
	line := func(epoch, loss string) string {
		cell := func(kind string) string {
			return `{"kind":"` + kind + `","operations":["none","skip_connect"],"edges":[{"node":2,"from":0,"p":[0.4,0.6],"entropy":0.67},{"node":2,"from":1,"p":[0.3,0.7],"entropy":0.61}]}`
		}
		return `{"epoch":` + epoch + `,"lr":0.02,"train_loss":` + loss + `,"valid_loss":` + loss + `,"valid_accuracy":0.5,"genotype":"` + g + `","cells":[` + cell("normal") + "," + cell("reduce") + `],"skip_connections":2}` + "\n"
	}
	if err := os.WriteFile(dir+"/metrics.jsonl", []byte(line("0", "2.5")+line("1", "1.5")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPlot(t *testing.T) {
	// Every figure is drawn that the runs have recorded something for, in each format, alone and beside others.
	t.Chdir(t.TempDir())
	plotted(t, "runs/one", "experiment: search\ndata: {name: digits}\nnetwork: {nodes: 1}\n")
	plotted(t, "runs/two", "experiment: search\ndata: {name: digits}\nnetwork: {nodes: 1}\nw: {lr: 0.05}\n")
	for _, test := range []struct{ args, stdout, file, start, contains string }{
		{"runs --what loss -o a.svg", "a.svg\n", "a.svg", "<svg ", "lr 0.05"},
		{"runs --what lr --what skips --what entropy -o b.svg --width 170mm", "b.svg\n", "b.svg", "<svg ", "Learning rate"},
		{"runs/one --what accuracy -o c.png --width 85mm", "c.png\n", "c.png", "\x89PNG", ""},
		{"runs --what alpha -o d.pdf", "note: alpha is of lr 0.025, the first run\nd.pdf\n", "d.pdf", "%PDF", ""},
		{"runs/two --what strip -o e.svg --columns 1", "e.svg\n", "e.svg", "<svg ", "skip"},
		{"runs/two --what cell -o f.svg", "f.svg\n", "f.svg", "<svg ", ">reduction cell<"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(append([]string{"plot"}, strings.Fields(test.args)...), &stdout, &stderr); status != exitOK {
				t.Fatalf("status %d, stderr %q", status, stderr.String())
			}
			if !strings.HasSuffix(stdout.String(), test.stdout) { // after a note of a run that is not complete
				t.Errorf("got %q, want %q", stdout.String(), test.stdout)
			}
			content, err := os.ReadFile(test.file)
			if err != nil || !bytes.HasPrefix(content, []byte(test.start)) || !bytes.Contains(content, []byte(test.contains)) {
				t.Errorf("%v, %.40q lacks %q", err, content, test.contains)
			}
		})
	}
	for args, want := range map[string]string{
		"runs -o a.svg":                               "darts: plot: --what wanted: loss, accuracy, lr, entropy, ",
		"runs --what lss -o a.svg":                    "darts: plot: --what \"lss\": there is no such figure (nearest: loss)\n",
		"runs --what loss":                            "darts: plot: -o \"\": wanted a file that ends in .svg, .png, .pdf\n",
		"runs --what loss -o a.gif":                   "darts: plot: -o \"a.gif\": wanted a file that ends in .svg, .png, .pdf\n",
		"runs --what eigenvalue -o a.svg":             "darts: plot: --what eigenvalue: the runs have recorded nothing for it\n",
		"runs --what cell -o a.svg":                   "darts: plot: --what cell: wanted one run and no other --what\n",
		"runs --what loss -o a.svg --columns 11":      "darts: plot: --columns 11: wanted 1 to 10\n",
		"runs/one --what loss -o runs/one/normal.svg": "darts: plot: runs/one/normal.svg belongs to the run: choose another -o\n",
		"none --what loss -o a.svg":                   "darts: plot: there is no folder none\n",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"plot"}, strings.Fields(args)...), &stdout, &stderr); status != exitUsage || !strings.HasPrefix(stderr.String(), want) {
			t.Errorf("%s: status %d, got %q, want %q", args, status, stderr.String(), want)
		}
	}
}
