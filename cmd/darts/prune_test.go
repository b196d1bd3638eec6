package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPruneCommand(t *testing.T) {
	// A network is pruned and trained on, and its run does what that of a training does; a masked one says that it is no faster.
	dir := t.TempDir()
	from, out := filepath.Join(dir, "run"), filepath.Join(dir, "pruned")
	training := writeFile(t, "training.yaml", strings.NewReplacer("channels: 2", "channels: 6", "epochs: 1", "epochs: 3").Replace(tinyTraining))
	execute(t, "train", training, "--threads", "1", "--out", from)
	said := execute(t, "prune", from, "--multiply-adds", "50%", "--epochs", "2", "--threads", "1", "--out", out)
	row := func(name string) string { return `(?m)^ *` + name + ` +[0-9.]+ % +[0-9]+ +0\.[0-9]+ M +[0-9]+ *$` }
	for _, want := range []string{`(?m)^ *network +test error +parameters +multiply-adds +bytes *$`, row("trained"), row("cut"), row("trained on"), `epoch 2/3: train`, `epoch 3/3: train`, `beginning with epoch 2`} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	if strings.Contains(said, "epoch 1/3: train") || strings.Contains(said, "note: zeros") {
		t.Errorf("got\n%s", said)
	}
	exported := filepath.Join(dir, "exported")
	for _, line := range [][]string{
		{"test", out}, {"info", out}, {"latency", out, "--passes", "1"}, {"train", "--resume", out}, {"export", out, "-o", exported, "--onnx", filepath.Join(dir, "n.onnx"), "--fold"},
		{"test", exported}, {"info", exported}, {"report", out, "--text"},
	} {
		if got := execute(t, line...); (line[0] == "info" || line[0] == "latency") && !strings.Contains(got, ", pruned\n") {
			t.Errorf("%q: %s", line, got)
		}
	}
	masked := execute(t, "prune", exported, "--multiply-adds", "50%", "--by", "magnitude", "--epochs", "1", "--threads", "1", "--out", filepath.Join(dir, "masked"))
	if !strings.Contains(masked, "a masked network is no faster, and no smaller") || !regexp.MustCompile(row("masked")).MatchString(masked) {
		t.Errorf("got\n%s", masked)
	}
	for _, test := range []struct{ line, want string }{
		{"prune " + from, "no share given: use --multiply-adds 70%"},
		{"prune " + from + " --multiply-adds 100%", "wanted a share above 0% and below 100%, such as 70%"},
		{"prune " + from + " --multiply-adds 0.7", "wanted a share above 0% and below 100%, such as 70%"},
		{"prune " + from + " --multiply-adds 70% --by size", `by "size", want scale, taylor, magnitude`},
		{"prune " + from + " --multiply-adds 70% --out " + out, "holds a run already: go on with `darts train --resume "},
		{"prune " + dir + " --multiply-adds 70%", "holds no run"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(test.line), &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), test.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q", test.line, status, stderr.String())
		}
	}
}
