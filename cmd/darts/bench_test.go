package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"godarts/nas/report"
)

func TestBench(t *testing.T) {
	// Tables, JSON and pictures are written when the program is measured with itself as its rival.
	if testing.Short() {
		t.Skip("-short: processes that measure each other")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1") // the processes it starts inherit it
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	var stdout, stderr bytes.Buffer
	status := run([]string{"bench", "--batch", "2", "--channels", "2", "--layers", "3", "--images", "5", "--units", "4", "--tokens", "11", "--bptt", "3", "--rounds", "2", "--seed", "4",
		"--threads", "1", "--against", "again='" + self + "' bench", "--json", file("b.json"), "--markdown", file("b.md"),
		"--chart", file("b.png"), "--chart", file("b.svg")}, &stdout, &stderr)
	if status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	if want := `(?m)^second-order step: C 2, 3 layers, batch 2\n +darts  +[\d.]+ s  .*\n +again  +[\d.]+ s  .* darts: [\d.]+ times as fast`; !regexp.MustCompile(want).MatchString(stdout.String()) {
		t.Errorf("stdout lacks %q:\n%s", want, stdout.String())
	}
	if want := "training step, round 2 of 2: darts "; !strings.Contains(stderr.String(), want) {
		t.Errorf("stderr lacks %q:\n%s", want, stderr.String())
	}
	var b report.Bench
	text, err := os.ReadFile(file("b.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if p := b.Machine.Peak; p.GFLOPS <= 0 || p.GBPerSecond <= 0 || !strings.Contains(stderr.String(), "this machine: products reach ") {
		t.Errorf("the processor reaches %+v; stderr %q", p, stderr.String())
	}
	if len(b.Rows) != 10 || b.Threads != 1 || b.Seed != 4 || !strings.HasPrefix(b.Programs[1].Version, "darts 0.") {
		t.Errorf("JSON %s", text)
	}
	for _, row := range b.Rows {
		ours, again := row.Sides[0], row.Sides[1]
		if row.Name == "input" || row.Name == "decode" { // no network, no loss
			continue
		}
		if *ours.FirstLoss != *again.FirstLoss {
			t.Errorf("%s: one seed gives the losses %g and %g", row.Name, *ours.FirstLoss, *again.FirstLoss)
		}
	}
	if text, err := os.ReadFile(file("b.md")); err != nil || string(text) != b.Markdown() {
		t.Errorf("the Markdown is %s (%v), want that of the JSON:\n%s", text, err, b.Markdown())
	}
	picture, err := os.Open(file("b.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if _, err := png.Decode(picture); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file("b.svg")); err != nil || !bytes.Contains(text, []byte("</svg>")) {
		t.Errorf("b.svg is %q (%v)", text, err)
	}
}

func TestBenchBadUsage(t *testing.T) {
	// One line says what was wanted when the arguments of bench are wrong or a rival fails.
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   string // of stderr, a regular expression
	}{
		{"row", []string{"--rows", "train,trian"}, exitUsage, `^darts: bench: unknown row "trian" \(there are: forward-backward, first-order, .*\)\n$`},
		{"size", []string{"--size", "huge"}, exitUsage, `^darts: bench: --size huge: wanted quick or full\n$`},
		{"form", []string{"--form", "slow"}, exitUsage, `^darts: bench: --form slow: wanted .*plain\n$`},
		{"rounds", []string{"--rounds", "0"}, exitUsage, `^darts: bench: --rounds 0: wanted 1 or more\n$`},
		{"threads", []string{"--threads", "-1"}, exitUsage, `^darts: bench: --threads -1: wanted 1 to 1024, or 0 for libtorch's choice\n$`},
		{"batch", []string{"--batch", "-1"}, exitUsage, `^darts: bench: --batch, .* have to be above 0\n$`},
		{"device", []string{"--device", "tpu"}, exitUsage, `^darts: torch: unknown device "tpu" `},
		{"rival without a name", []string{"--against", "python x.py"}, exitUsage, `^darts: bench: --against "python x.py": wanted NAME=COMMAND, such as pytorch=`},
		{"rival without a command", []string{"--against", "x= "}, exitUsage, `^darts: bench: --against "x= ": wanted NAME=COMMAND`},
		{"two rivals of one name", []string{"--against", "x=true", "--against", "x=false"}, exitUsage, `^darts: bench: --against x=false: there is a program x already\n$`},
		{"chart alone", []string{"--chart", "b.png"}, exitUsage, `^darts: bench: --chart compares programs: give it --against NAME=COMMAND\n$`},
		{"count", []string{"--count=tpu"}, exitUsage, `^darts: bench: --count=tpu: wanted --count, or --count=gpu for the form that suits a GPU\n$`},
		{"count of a rival", []string{"--count", "--against", "x=true"}, exitUsage, `^darts: bench: --count is about this program alone: `},
		{"count without a network", []string{"--count", "--rows", "train,input"}, exitUsage, `^darts: bench: row input has no network to count operators of \(there are: forward-backward, .*, rnn-train\)\n$`},
		{"picture", []string{"--chart", "b.gif", "--against", "x=true"}, exitUsage, `^darts: bench: --chart b.gif: wanted a file named .png or .svg\n$`},
		{"folder", []string{"--json", "nowhere/b.json"}, exitUsage, `^darts: bench: nowhere/b.json can not be written: there is no folder nowhere\n$`},
		{"argument", []string{"train"}, exitUsage, `^darts: bench: no argument wanted, 1 given\n$`},
		{"failing rival", []string{"--rows", "input", "--images", "2", "--against", "x=echo not found >&2; false"}, exitFailed,
			`^this machine: .*\ndarts: bench: x: ended without an answer to "ready"; its last words: not found \(row input\)\n$`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(asProgram, "1")
			var stdout, stderr bytes.Buffer
			if status := run(append([]string{"bench"}, test.args...), &stdout, &stderr); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if !regexp.MustCompile(test.want).MatchString(stderr.String()) {
				t.Errorf("stderr is %q, want %q", stderr.String(), test.want)
			}
		})
	}
}

func TestBenchCount(t *testing.T) {
	// A table, JSON and Markdown of one step's operators are written, on the CPU's and on the GPU's form, when --count is given.
	for _, test := range []struct {
		count, form, operator string
		asGPU                 bool
	}{{"--count", "fast", "aten::mkldnn_convolution", false}, {"--count=gpu", "wide", "aten::native_batch_norm", true}} {
		dir := t.TempDir()
		file := func(name string) string { return filepath.Join(dir, name) }
		var stdout, stderr bytes.Buffer
		status := run([]string{"bench", test.count, "--rows", "first-order", "--batch", "2", "--channels", "2", "--layers", "3", "--threads", "1",
			"--json", file("c.json"), "--markdown", file("c.md")}, &stdout, &stderr)
		if status != exitOK {
			t.Fatalf("status %d, stderr %q", status, stderr.String())
		}
		var c report.Counts
		text, err := os.ReadFile(file("c.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		if c.AsGPU != test.asGPU || c.Threads != 1 || c.Form != test.form || len(c.Rows) != 1 || c.Rows[0].Sum.Calls < 500 {
			t.Errorf("%s: JSON %s", test.count, text)
		}
		if want := "first-order step: C 2, 3 layers, batch 2, "; !strings.HasPrefix(stdout.String(), want) || !strings.Contains(stdout.String(), test.operator) {
			t.Errorf("%s: stdout lacks %q or %q:\n%s", test.count, want, test.operator, stdout.String())
		}
		if text, err := os.ReadFile(file("c.md")); err != nil || string(text) != c.Markdown() {
			t.Errorf("%s: the Markdown is %s (%v), want that of the JSON:\n%s", test.count, text, err, c.Markdown())
		}
		if strings.Contains(stdout.String(), "shim::") && test.asGPU {
			t.Errorf("a GPU has no loops of ours:\n%s", stdout.String())
		}
	}
}
