package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
)

func TestObey(t *testing.T) {
	// The first signal ends the run after its step; a later SIGTERM or SIGHUP changes nothing, a later SIGINT warns once and then quits, when signals come in any order.
	const i, q, h = syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP
	for _, test := range []struct {
		name string
		came []os.Signal
		want string
	}{
		{"none", nil, ""},
		{"interrupt", []os.Signal{i}, "finish"},
		{"terminate", []os.Signal{q}, "finish"},
		{"hang up", []os.Signal{h}, "finish"},
		{"hang up, then interrupt twice", []os.Signal{h, i, h, i}, "finish warn quit"},
		{"terminate a process and its group", []os.Signal{q, q, q, q}, "finish"},
		{"interrupt a process and its group", []os.Signal{i, i}, "finish warn"},
		{"interrupt thrice", []os.Signal{i, i, i}, "finish warn quit"},
		{"interrupt, then terminate", []os.Signal{i, q, q}, "finish"},
		{"terminate, then interrupt", []os.Signal{q, i, q}, "finish warn"},
		{"terminate, then interrupt twice", []os.Signal{q, i, q, i}, "finish warn quit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			signals := make(chan os.Signal, len(test.came))
			for _, s := range test.came {
				signals <- s
			}
			close(signals)
			var did []string
			note := func(what string) func() { return func() { did = append(did, what) } }
			handleSignals(signals, note("finish"), note("warn"), note("quit"))
			if got := strings.Join(did, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHangUp(t *testing.T) {
	// A run goes on when SIGHUP comes and it was started to ignore that, as nohup starts programs.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config, dir := writeFile(t, "tiny.yaml", tinyConfig), filepath.Join(t.TempDir(), "run")
	p := exec.Command("sh", "-c", `trap "" HUP; exec "$@"`, "sh", darts, "search", config, "--out", dir, "--set", "epochs=1000", "--threads", "1")
	var stdout, stderr bytes.Buffer
	p.Stdout, p.Stderr = &stdout, &stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Process.Kill()
	checkpoint := filepath.Join(dir, "checkpoint.safetensors")
	waitFor(t, checkpoint)
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first may have begun before the signal
		if err := os.Remove(checkpoint); err != nil {
			t.Fatal(err)
		}
		waitFor(t, checkpoint)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Wait()
	if status := p.ProcessState.ExitCode(); status != exitInterrupted || !strings.HasPrefix(stderr.String(), "interrupted; go on with: ") {
		t.Errorf("status %d, stdout %q, stderr %q", status, &stdout, &stderr)
	}
}

func TestInterruptedBeforeTheStart(t *testing.T) {
	// No resume is suggested when a signal comes before the run folder holds a run.
	k := kind{name: "train", run: func(context.Context, string, *config.Config, nas.Settings, io.Writer) error { return context.Canceled }}
	err := k.start(t.TempDir(), config.Defaults(config.Train), nas.Settings{}, io.Discard, io.Discard)
	if want := "interrupted; go on with: the same command, since no run had begun"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTimeIsUp(t *testing.T) {
	// A run is told to save and end when the time of --for is up, and how to go on is said with that time.
	p := writeFile(t, "tiny.yaml", tinyConfig)
	out := filepath.Join(t.TempDir(), "run")
	var stdout, stderr bytes.Buffer
	status := run([]string{"search", p, "--out", out, "--set", "epochs=100000", "--threads", "1", "--for", "1s"}, &stdout, &stderr)
	if want := "stopped after 1s; go on with: darts search --resume " + out + "\n"; status != exitInterrupted || stderr.String() != want {
		t.Errorf("status %d, stderr %q, want %q", status, stderr.String(), want)
	}
	if _, err := os.Stat(filepath.Join(out, "checkpoint.safetensors")); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"search", p, "--for", "5ms"}, `^darts: search: --for 5ms: wanted a second or more, such as 9m\n$`},
		{[]string{"search", p, "--for", "-1m"}, `^darts: search: --for -1m0s: wanted a second or more`},
		{[]string{"search", p, "--for", "9"}, `invalid argument "9" for "--for" flag: must be a duration like "30s"`},
		{[]string{"repeat", tinyProtocol(t), "--for", "5ms"}, `^darts: repeat: --for 5ms: wanted`},
		{[]string{"compare", "../../configs/nasbench201.toy.yaml", "--for", "5m"}, `^darts: compare: --for has no effect on a table`},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(test.args, &stdout, &stderr); status != exitUsage || !regexp.MustCompile(test.want).MatchString(stderr.String()) {
			t.Errorf("%q: status %d, stderr %q, want %q", test.args, status, stderr.String(), test.want)
		}
	}
}
