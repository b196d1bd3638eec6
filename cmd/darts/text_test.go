package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// tinyText is a search of some steps on a text, tinyTextTraining a training of them.
const (
	tinyText = `experiment: search
data: {name: synthetic-text, tokens: 100, batch: 4, eval_batch: 2, bptt: 7}
network: {hidden: 5, nodes: 2}
epochs: 2
expect: {test_perplexity: 50, source: somewhere}
`
	tinyTextTraining = `experiment: train
data: {name: synthetic-text, tokens: 100, batch: 4, eval_batch: 2, bptt: 7}
network: {hidden: 5}
epochs: 2
`
)

func TestTextToTest(t *testing.T) {
	// A search on a text, a training of its cell, the test of that, its sizes and its drawing work in a row.
	dir := t.TempDir()
	config, training := writeFile(t, "tiny.yaml", tinyText), writeFile(t, "training.yaml", tinyTextTraining)
	searched, trained := filepath.Join(dir, "searched"), filepath.Join(dir, "trained")
	const perplexity = `perplexity [\d.]+, of the unigram model [\d.]+`
	for _, step := range []struct {
		args []string
		want []string // regular expressions of stdout
	}{
		{[]string{"search", config, "--out", searched}, []string{`search searched: 2 epochs of 4 steps, 100 tokens`, `(?m)^validation ` + perplexity + `$`, `(?m)^published: test perplexity 50.00 \(somewhere\)$`, `epoch 2/2: train loss [\d.]+, perplexity [\d.]+; validation loss [\d.]+, perplexity [\d.]+; learning rate 20;`}},
		{[]string{"search", "--resume", searched}, []string{`the run in .* is complete`, `(?m)^validation ` + perplexity}},
		{[]string{"train", training, "--genotype", searched, "--out", trained}, []string{`(?m)^test ` + perplexity + `; \d+ parameters$`, `(?m)^validation ` + perplexity + `; the best was epoch [12]$`}},
		{[]string{"train", training, "--genotype", "darts_v1", "--out", filepath.Join(dir, "named")}, []string{`(?m)^test ` + perplexity}},
		{[]string{"test", trained}, []string{`^test ` + perplexity + `; \d+ parameters\n$`}},
		{[]string{"test", training, "--weights", filepath.Join(trained, "weights.safetensors"), "--genotype", searched}, []string{`^test ` + perplexity + `; \d+ parameters\n$`}},
		{[]string{"info", trained}, []string{`^5 units, 2 nodes, \d+ words\n  parameters  \d+\n$`}},
		{[]string{"info", searched}, []string{`^search network: 5 units, 2 nodes, \d+ words\n`, `\nPenn Treebank: 850 units, 2 nodes, 10000 words\n`, `\nWikiText-2: 700 units`}},
		{[]string{"draw", searched, "-o", filepath.Join(dir, "pictures")}, []string{`recurrent.svg\n$`}},
		{[]string{"data", "get", "synthetic-text"}, []string{`^synthetic-text: \d+ words, \d+ tokens to train, \d+ to validate, \d+ to test\n$`}},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(step.args, &stdout, &stderr); status != exitOK {
			t.Fatalf("%v: status %d, stderr %q", step.args, status, stderr.String())
		}
		for _, want := range step.want {
			if !regexp.MustCompile(want).MatchString(stdout.String()) {
				t.Errorf("%v: stdout lacks %q:\n%s", step.args, want, stdout.String())
			}
		}
	}
	for _, file := range []string{"recurrent.svg", "genotype.json", "best.safetensors", "weights.safetensors", "metrics.jsonl"} {
		if _, err := os.Stat(filepath.Join(trained, file)); err != nil {
			t.Error(err)
		}
	}
	exported := filepath.Join(dir, "exported")
	printed := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != exitOK {
			t.Fatalf("%q: status %d, stderr %q", args, status, stderr.String())
		}
		return stdout.String()
	}
	printed("export", trained, "-o", exported)
	if run, export := printed("test", trained), printed("test", exported); run != export {
		t.Errorf("the export is measured as %q, the run as %q", export, run)
	}
}
