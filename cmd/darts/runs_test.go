package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestRuns(t *testing.T) {
	// Runs below a folder, runs/ unless another is given, are listed for readers or as JSON, and notes say what cannot be read.
	t.Chdir(t.TempDir())
	const search = "experiment: search\ndata: {name: digits}\n"
	runFolder(t, "runs/one", search)
	runFolder(t, "runs/one/found", "experiment: train\ngenotype: DARTS_V2\ndata: {name: digits}\n")
	if err := os.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	runFolder(t, "more/bad", "experiment: [\n")
	runFolder(t, "more/good", search)
	if err := os.WriteFile("more/bad/run.json", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args           string
		status         int
		stdout, stderr string
	}{
		{"runs", exitOK, "run      state        epochs\none      interrupted  0/50\n  found  interrupted  0/600\n", ""},
		{"runs runs --json", exitOK, `{"run":"one","dir":"runs/one","experiment":"search","strategy":"darts","seed":2,"state":"interrupted","done_epochs":0,"epochs":50}` + "\n" +
			`{"run":"one/found","dir":"runs/one/found","experiment":"train","seed":0,"state":"interrupted","done_epochs":0,"epochs":600}` + "\n", ""},
		{"runs more", exitOK, "run   state        epochs\nbad   unreadable\ngood  interrupted  0/50\n", "note: config: more/bad/config.yaml:"},
		{"runs empty", exitOK, "", "there are no runs in empty\n"},
		{"runs empty --json", exitOK, "", ""},
		{"runs none", exitUsage, "", "darts: runs: there is no folder none\n"},
		{"runs more/bad/run.json", exitUsage, "", "darts: runs: nas: runs: more/bad/run.json is no folder\n"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(strings.Fields(test.args), &stdout, &stderr); status != test.status {
				t.Errorf("status %d, stderr %q", status, stderr.String())
			}
			if stdout.String() != test.stdout || !strings.HasPrefix(stderr.String(), test.stderr) || test.stderr == "" && stderr.Len() > 0 {
				t.Errorf("got\n%s%q, want\n%s%q", stdout.String(), stderr.String(), test.stdout, test.stderr)
			}
		})
	}
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	if status := run([]string{"runs"}, &stdout, &stderr); status != exitUsage || stderr.String() != "darts: runs: there is no folder runs here: name the folder of the runs\n" {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}
