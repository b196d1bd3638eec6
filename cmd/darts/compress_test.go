package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/fixture"
)

func TestCompressCommand(t *testing.T) {
	// A compression prints its table, writes page, charts and ONNX files, prints the same table again, and refuses with one line what makes no sense.
	dir := t.TempDir()
	from, out := filepath.Join(dir, "run"), filepath.Join(dir, "small")
	training := writeFile(t, "training.yaml", strings.NewReplacer("channels: 2", "channels: 6").Replace(tinyTraining))
	execute(t, "train", training, "--threads", "1", "--out", from)
	said := execute(t, "compress", from, "--multiply-adds", "60%", "--multiple", "1", "--range", "full", "--threads", "1", "--out", out, "--batch", "2")
	for _, want := range []string{"network ", "test error, %", "multiply-adds, M", "ONNX file, kB", "time, ms", "\ntrained ", "\npruned-60 ", "\nint8 ", "\nint8-trained ", "\npruned-60-int8 ", "median of 50 passes of 2 images", "scripts/onnx-latency --all " + out + "/onnx 2"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	for line := range strings.Lines(said[strings.Index(said, "network "):strings.Index(said, "time of an image")]) {
		if len([]rune(line)) > 81 {
			t.Errorf("more than 80 columns: %s", line)
		}
	}
	for _, file := range []string{"report.html", "compression.md", "compression.csv", "compression.svg", "compression.png", "onnx/trained-seed-0.onnx", "onnx/pruned-60-int8-seed-0.onnx"} {
		if info, err := os.Stat(filepath.Join(out, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	again := execute(t, "compress", "--resume", out, "--batch", "2", "--threads", "1")
	table := func(text string) string { return text[strings.Index(text, "network "):] }
	if table(again) != table(said) || strings.Contains(again, "epoch ") {
		t.Errorf("got again\n%s", again)
	}
	for _, test := range []struct{ line, want string }{
		{"compress", "no RUN given: name one or several trained runs, or --resume DIR"},
		{"compress " + from + " --multiply-adds 70%,70%", "70% is there twice"},
		{"compress " + from + " --multiply-adds 70", "wanted a share above 0% and below 100%, such as 70%"},
		{"compress " + from + " --by magnitude", `--by "magnitude": wanted taylor or scale`},
		{"compress " + from + " --multiple 0", "--multiple 0: wanted 1 to 1024"},
		{"compress " + from + " --int8-epochs -1", "--int8-epochs -1: wanted 0 or more"},
		{"compress " + from + " --resume " + out, "--resume DIR goes without a RUN: the folder says which"},
		{"compress --resume " + out + " --scaled", "--scaled goes not with --resume: the folder says it"},
		{"compress --resume " + from, "is no folder of a compression: want one that `darts compress` made"},
		{"compress " + from + " --multiply-adds 60% --multiple 1 --range full --int8-epochs 0 --out " + out, "has other settings: integer_epochs: 1 in its settings.json, 0 given"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(test.line), &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), test.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q", test.line, status, stderr.String())
		}
	}
}

func TestCompressKilled(t *testing.T) {
	// A compression that is killed after it has cut, and while it trains in integers, ends in two processes that share it with the bytes of an undisturbed one.
	if testing.Short() {
		t.Skip("-short: works through two compressions")
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	from := filepath.Join(dir, "run")
	training := writeFile(t, "training.yaml", strings.NewReplacer("channels: 2", "channels: 6").Replace(tinyTraining))
	execute(t, "train", training, "--threads", "1", "--out", from)
	start := func(out string) *repetition {
		return startRepeat(t, darts, "compress", from, "--multiply-adds", "60%,40%", "--multiple", "1", "--range", "full", "--scaled", "--batch", "1", "--out", out)
	}
	undisturbed, out := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed")
	p := start(undisturbed)
	if status := p.end(); status != exitOK {
		t.Fatalf("status %d: %s%s", status, &p.out, &p.err)
	}
	for _, until := range []string{`^training pruned-\d0-seed-0: `, "^training int8-trained-seed-0: "} {
		killed := start(out)
		killed.until(t, until)
		killed.Process.Kill()
		killed.end()
	}
	for _, p := range []*repetition{start(out), start(out)} {
		if status := p.end(); status != exitOK {
			t.Fatalf("status %d: %s%s", status, &p.out, &p.err)
		}
	}
	for _, of := range []string{undisturbed, out} { // what says how fast networks are
		for _, file := range []string{"times.json", "compression.md", "compression.csv", "compression.svg", "compression.png", "compression.pdf", "report.html"} {
			if err := os.Remove(filepath.Join(of, file)); err != nil {
				t.Error(err)
			}
		}
		if err := os.RemoveAll(filepath.Join(of, "claims")); err != nil {
			t.Error(err)
		}
		for _, pattern := range []string{"*/config.yaml", "*/checkpoint*.safetensors"} { // they name the folder
			named, err := filepath.Glob(filepath.Join(of, pattern))
			if err != nil || len(named) == 0 {
				t.Fatalf("%s: %d, %v", pattern, len(named), err)
			}
			for _, file := range named {
				if err := os.Remove(file); err != nil {
					t.Error(err)
				}
			}
		}
	}
	fixture.Same(t, undisturbed, out)
}
