package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"godarts/nas/runfolder"
)

func TestComparisonKilled(t *testing.T) {
	// The search of a comparison saves and ends when the comparison is killed; the same line waits for that and goes on, and finds all taken while the first is alive.
	if testing.Short() {
		t.Skip("-short: a comparison of several processes")
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := tinyComparison(t)
	replaceIn(t, file, "[[strategy.name=darts], [strategy.name=random, strategy.trials=2]]", "[[strategy.name=darts, epochs=15]]")
	out := filepath.Join(t.TempDir(), "out")
	p := exec.Command(darts, "compare", file, "--out", out)
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	search := filepath.Join(out, "darts-first", "search")
	waitFor(t, filepath.Join(search, runfolder.CheckpointFile))
	var second bytes.Buffer
	if status := run([]string{"compare", file, "--out", out, "--no-wait"}, &second, &second); status != exitOK || !strings.Contains(second.String(), "runs in other processes: darts-first/search by process ") {
		t.Errorf("beside the first: status %d, %q", status, second.String())
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	lock, err := os.Open(filepath.Join(search, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Since(start) > 3*time.Minute {
			t.Fatal("the search goes on, ", err)
		}
	}
	if runfolder.Finished(search) {
		t.Error("the search went on to its end")
	}
	// The second call finds the lock held, as if the search were still saving.
	again := exec.Command(darts, "compare", file, "--out", out)
	stdout, err := again.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	for line := ""; !strings.HasPrefix(line, "waiting for other processes: darts-first/search"); {
		if line, err = reader.ReadString('\n'); err != nil {
			t.Fatalf("while the search saves: %q, %v", line, err)
		}
	}
	lock.Close()
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(reader); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil || !strings.Contains(rest.String(), "going on in epoch") {
		t.Errorf("afterwards: %v, %q", err, rest.String())
	}
}

// replaceIn replaces a text in a file that has it.
func replaceIn(t *testing.T, file, old, by string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %s: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, by, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBenchKilled(t *testing.T) {
	// A rival ends when the bench that started it is killed, even one that does not look at its stdin.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	started := filepath.Join(dir, "pid")
	script := writeFile(t, "rival.sh", "echo $$ > "+started+".new; mv "+started+".new "+started+"; exec sleep 600")
	p := exec.Command(darts, "bench", "--rows", "first-order", "--batch", "2", "--channels", "2", "--layers", "3", "--threads", "1", "--against", "rival=sh "+script)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, started)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	text, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join("/proc", strings.TrimSpace(string(text)), "stat")
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
		now, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(now), ") Z ") {
			return // gone, or nobody has asked how it ended
		}
	}
	t.Errorf("process %s still sleeps", text)
}
