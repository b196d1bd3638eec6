package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"godarts/torch"
)

// tinyProtocol writes the configs of a protocol of two searches and two trainings, and
// returns the file of the protocol.
func tinyProtocol(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	search, _, _ := strings.Cut(strings.Replace(tinyConfig, "nodes: 2", "nodes: 1", 1), "evaluate:")
	for name, text := range map[string]string{
		"search.yaml":   strings.Replace(search, "epochs: 2", "epochs: 4\nseed: 2\nspace: {operations: [none, skip_connect, sep_conv_3x3]}", 1),
		"training.yaml": strings.Replace(tinyTraining, "epochs: 1", "epochs: 4", 1),
		"protocol.yaml": "experiment: repeat\nrepeat: {search: search.yaml, searches: 2, brief: {epochs: 3}, train: training.yaml, trains: 2}\n" +
			"expect: {test_error: 2.76, std: 0.09, source: a table}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "protocol.yaml")
}

// repetition is a process that works on a protocol.
type repetition struct {
	*exec.Cmd
	lines    *bufio.Scanner
	out, err bytes.Buffer
}

// startRepeat starts program, the binary or a script that calls it, on a protocol. It saves
// at each step, so that a kill at any moment leaves something to go on with.
func startRepeat(t *testing.T, program string, args ...string) *repetition {
	t.Helper()
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if program == "" {
		program = darts
		args = append([]string{"repeat"}, args...)
	}
	if !slices.Contains(args, "--threads") {
		args = append(args, "--threads", "1")
	}
	p := &repetition{Cmd: exec.Command(program, append(args, "--checkpoint-every", "1", "--stale", "12s")...)}
	p.Env = append(os.Environ(), "DARTS="+darts)
	p.Stderr = &p.err
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(io.TeeReader(out, &p.out))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

// until reads the output until all expressions have matched a line, one after the other.
func (p *repetition) until(t *testing.T, expressions ...string) {
	t.Helper()
	for p.lines.Scan() {
		if regexp.MustCompile(expressions[0]).MatchString(p.lines.Text()) {
			if expressions = expressions[1:]; len(expressions) == 0 {
				return
			}
		}
	}
	t.Fatalf("no line %q:\n%s%s", expressions[0], &p.out, &p.err)
}

// end waits for the process and gives its exit status.
func (p *repetition) end() int {
	for p.lines.Scan() {
	}
	p.Wait()
	return p.ProcessState.ExitCode()
}

// table is what the process printed at last.
func (p *repetition) table(t *testing.T) string {
	t.Helper()
	if status := p.end(); status != exitOK {
		t.Fatalf("exit status %d:\n%s%s", status, &p.out, &p.err)
	}
	table := regexp.MustCompile(`(?s)    search  seed .*\n`).FindString(p.out.String())
	table, _, _ = strings.Cut(table, "protocol folder:")
	if !strings.Contains(table, "chosen") || !strings.Contains(table, "published: 2.76 ± 0.09 % (a table)") {
		t.Fatalf("no table:\n%s", &p.out)
	}
	return table
}

// parts are the run folders of the protocol.
var parts = []string{"search-2", "search-3", "brief-2", "brief-3", "train-0", "train-1"}

// sameProtocol compares the results and every last checkpoint.
func sameProtocol(t *testing.T, want, got string) {
	t.Helper()
	files := []string{"result.json", "report.md", "genotype.json"}
	for _, part := range parts {
		files = append(files, part+"/checkpoint.safetensors", part+"/result.json")
	}
	sameFiles(t, want, got, files...)
}

func TestRepeatDisturbed(t *testing.T) {
	// A protocol ends with the table and the bytes of an undisturbed one when it is killed and interrupted at different stages, and when several processes work on it at once, by the Slurm script too.
	if testing.Short() {
		t.Skip("-short: works through three protocols")
	}
	config, dir := tinyProtocol(t), t.TempDir()
	undisturbed := filepath.Join(dir, "undisturbed")
	want := startRepeat(t, "", config, "--out", undisturbed).table(t)

	t.Run("killed twice and interrupted", func(t *testing.T) {
		out := filepath.Join(dir, "killed")
		for _, stage := range []struct {
			signal syscall.Signal
			until  []string
		}{
			{syscall.SIGKILL, []string{"^search search-2: ", "^epoch 2/4: "}},
			{syscall.SIGTERM, []string{"^training brief-3: ", "^epoch 1/3: "}},
			{syscall.SIGKILL, []string{"^training train-1: ", "^epoch 3/4: "}},
		} {
			p := startRepeat(t, "", config, "--out", out)
			p.until(t, stage.until...)
			if err := p.Process.Signal(stage.signal); err != nil {
				t.Fatal(err)
			}
			status := p.end()
			if how := "interrupted; go on with: darts repeat --resume " + out + "\n"; stage.signal == syscall.SIGTERM && (status != exitInterrupted || p.err.String() != how) {
				t.Errorf("status %d, stderr %q, want %d, %q", status, &p.err, exitInterrupted, how)
			}
			if _, err := os.Stat(filepath.Join(out, "report.md")); err == nil {
				t.Fatalf("the protocol was complete before it was stopped after %q", stage.until)
			}
		}
		p := startRepeat(t, "", "--resume", out, "--threads", "2") // the part left keeps its one
		if got := p.table(t); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if begun := regexp.MustCompile(`(?m)^(search|training) .*`).FindAllString(p.out.String(), -1); len(begun) != 1 || !strings.Contains(begun[0], "train-1: ") {
			t.Errorf("finished parts were begun again: %q", begun)
		}
		sameProtocol(t, undisturbed, out)
	})

	t.Run("three at once", func(t *testing.T) {
		const script = "../../scripts/repeat.sbatch"
		out := filepath.Join(dir, "three")
		one, two := startRepeat(t, "", config, "--out", out), startRepeat(t, script, config, out)
		// Each has a search to itself; then a third takes the place of one.
		one.until(t, "^epoch 1/4: ")
		two.until(t, "^epoch 1/4: ")
		one.Process.Kill()
		one.end()
		three := startRepeat(t, script, config, out)
		for _, p := range []*repetition{two, three} {
			if got := p.table(t); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		}
		sameProtocol(t, undisturbed, out)
	})
}

func TestRepeatElsewhere(t *testing.T) {
	// A process ends with --no-wait and says for whom when the part left is claimed on another machine, and takes it over once the claim is stale; another config is refused.
	config, out := tinyProtocol(t), filepath.Join(t.TempDir(), "p")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	threads := torch.Threads()
	defer func() { torch.SetThreads(threads) }()
	repeat := func(more ...string) (status int, stdout, stderr string) {
		var o, e bytes.Buffer
		args := []string{"repeat", config, "--out", out, "--threads", "1", "--set", "repeat.brief.epochs=1", "--set", "search.epochs=1", "--set", "train.epochs=1", "--set", "repeat.trains=1", "--set", "repeat.searches=1"}
		status = run(append(args, more...), &o, &e)
		return status, o.String(), e.String()
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	status, first, stderr := repeat()
	if status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	must(os.Remove(filepath.Join(out, "train-0", "result.json")))
	must(os.RemoveAll(filepath.Join(out, "claims")))
	must(os.Mkdir(filepath.Join(out, "claims"), 0o755))
	claim := filepath.Join(out, "claims", "train-0.1")
	must(os.WriteFile(claim, []byte(`{"host":"far","pid":7,"since":"2026-01-02T03:04:05Z","stale_seconds":3600,"kernel":"another"}`+"\n"), 0o644))

	status, stdout, stderr := repeat("--no-wait")
	if want := "runs in other processes: train-0 by process 7 on far since 2026-01-02 03:04:05\n"; status != exitOK || !strings.HasSuffix(stdout, want) {
		t.Errorf("status %d, stdout %q, stderr %q, want %q", status, stdout, stderr, want)
	}
	then := time.Now().Add(-2 * time.Hour)
	must(os.Chtimes(claim, then, then))
	lock, err := os.Open(filepath.Join(out, "train-0", "lock"))
	must(err)
	must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)) // as of a process that hangs
	if status, stdout, _ = repeat("--no-wait"); status != exitOK || !strings.HasSuffix(stdout, "runs in other processes: train-0 by a process that does not renew its claim\n") {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	must(lock.Close())
	status, stdout, stderr = repeat("--no-wait")
	if table := first[strings.Index(first, "    search  seed"):]; status != exitOK || !strings.HasSuffix(stdout, table) {
		t.Errorf("status %d, stdout %q, stderr %q, want the table of before, %q", status, stdout, stderr, table)
	}
	if again := regexp.MustCompile(`(?m)^(search|training) .*`).FindAllString(stdout, -1); len(again) != 1 || !strings.HasPrefix(again[0], "training train-0: 1 epoch of 3 steps, 36 images, all done before") {
		t.Errorf("begun again: %q", again)
	}
	if status, _, stderr = repeat("--set", "search.w.lr=0.5"); status != exitUsage || stderr != "darts: nas: the protocol in "+out+" has another config: search.w.lr: 0.025 in its config, 0.5 given\n" {
		t.Errorf("another config: status %d, stderr %q", status, stderr)
	}
}

func TestRepeatUsage(t *testing.T) {
	// One clear line and exit status 2 come back when the arguments of repeat or what they name are wrong.
	config, training := tinyProtocol(t), writeFile(t, "training.yaml", tinyTraining)
	used, empty := filepath.Dir(training), t.TempDir()
	for _, test := range []struct {
		name string
		args []string
		want string // of stderr, a regular expression
	}{
		{"no config", nil, `^darts: repeat: no CONFIG given; for example: darts repeat `},
		{"training", []string{training}, "^darts: repeat: .*training.yaml is the config of a train: use `darts train`\n$"},
		{"unknown key", []string{config, "--set", "search.epoch=1"}, `repeat.search: config: --set epoch=1: unknown key "epoch" \(nearest: "epochs"\)\n$`},
		{"folder in use", []string{config, "--out", used}, `is not empty: choose another --out\n$`},
		{"resume of nothing", []string{"--resume", empty}, `holds no protocol: there is no .*config/repeat.yaml\n$`},
		{"resume with a config", []string{config, "--resume", empty}, `--resume takes the config from the protocol's folder`},
		{"resume with another folder", []string{"--out", used, "--resume", empty}, `--out does not go with --resume`},
		{"stale at once", []string{config, "--stale", "1ms"}, `--stale 1ms: wanted a second or more`},
		{"bad device", []string{config, "--device", "tpu"}, `unknown device "tpu"`},
		{"missing data", []string{config, "--set", "search.data.name=cifar10", "--set", "search.data.root=" + empty, "--out", filepath.Join(empty, "p")},
			`^darts: data: cifar10: .*darts data get cifar10`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(append([]string{"repeat"}, test.args...), &stdout, &stderr)
			if status != exitUsage || !regexp.MustCompile(test.want).MatchString(stderr.String()) || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("status %d, stderr %q, want %q", status, &stderr, test.want)
			}
		})
	}
	var stdout, stderr bytes.Buffer
	if status := run([]string{"search", config}, &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), "is the config of a repeat: use `darts repeat`") {
		t.Errorf("protocol as search: status %d, stderr %q", status, &stderr)
	}
}

func TestRepeatJob(t *testing.T) {
	// The arguments of the Kubernetes Job are those of a protocol in this repository when they are read as the program reads them.
	text, err := os.ReadFile("../../scripts/repeat-job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct{ Args []string }
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	args := job.Spec.Template.Spec.Containers[0].Args
	t.Chdir("../..")
	var o repeatFlags
	f := pflag.NewFlagSet("repeat", pflag.ContinueOnError)
	o.register(f)
	if err := f.Parse(args[1:]); err != nil {
		t.Fatal(err)
	}
	if _, err := o.load(f); err != nil || args[0] != "repeat" || o.out == "" {
		t.Errorf("%q: %v", args, err)
	}
}
