package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
