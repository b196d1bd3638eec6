package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// killCalls are system calls that change a run's folder, and some that come between two
// changes.
var killCalls = []string{"renameat", "fsync", "write", "openat", "unlinkat", "ftruncate", "flock", "mkdirat", "close", "read"}

// kill kills a run up to four times, at random moments or at the n-th call of a kind by one of
// its threads, and goes on. Two processes work on a protocol.
func kill(t *trial) {
	s := t.subject()
	t.outcome = s.name
	r := t.reference(s)
	if r == nil {
		return
	}
	for range 1 + t.IntN(4) {
		processes := 1
		if s.command == "repeat" {
			processes = 2
		}
		for range processes {
			t.startDoomed(s, r)
		}
		for _, p := range t.running[len(t.running)-processes:] {
			p.wait()
			t.judgeKilled(p)
		}
	}
	if t.finish(s) {
		t.equal(r)
	}
}

// startDoomed starts the run so that it will be killed.
func (t *trial) startDoomed(s subject, r *reference) {
	if canTrace() && t.IntN(2) == 0 {
		call := killCalls[t.IntN(len(killCalls))]
		when := int(math.Exp(t.Float64() * math.Log(400))) // most often early, where the folder is made
		t.start([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, when)}, t.next(s)...)
		return
	}
	p := t.start(nil, t.next(s)...)
	t.signalLater(p, syscall.SIGKILL, r)
}

// signalLater signals a process at a random moment of its expected time.
func (t *trial) signalLater(p *process, signal syscall.Signal, r *reference) {
	wait := time.Duration(t.Float64() * 1.1 * float64(r.took))
	t.note("sleep %.3f; kill -%d $!", wait.Seconds(), signal)
	go func() {
		select {
		case <-p.ended:
		case <-time.After(wait):
			_ = p.signal(signal)
		}
	}()
}

// judgeKilled fails the trial if a process that was killed, or ended before, printed a trace.
func (t *trial) judgeKilled(p *process) {
	if m := traces.FindString(p.stderr.String()); m != "" || p.late {
		t.failf("%s printed %q, too late: %v: %s", p.line, m, p.late, shortened(p.stderr.String()))
	}
}

// signals ends a run up to three times by signals on which it saves.
func signals(t *trial) {
	s := t.subject()
	t.outcome = s.name
	r := t.reference(s)
	if r == nil {
		return
	}
	for range 1 + t.IntN(3) {
		signal := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[t.IntN(3)]
		p := t.start(nil, t.next(s)...)
		t.signalLater(p, signal, r)
		switch status := p.wait(); {
		case status == 130, status == 0:
		case status < 0 && strings.Count(p.stdout.String(), "\n") < 2: // it was not ready for signals yet: nothing is lost
		case status < 0:
			t.failf("%s ended at once by the signal %v, and did not save", p.line, signal)
		default:
			t.failf("%s: status %d after the signal %v: %s", p.line, status, signal, shortened(p.stderr.String()))
		}
		t.judgeKilled(p)
	}
	if t.finish(s) {
		t.equal(r)
	}
}

// began tells whether the run has saved a checkpoint.
func (t *trial) began() bool {
	found, _ := filepath.Glob(filepath.Join(t.dir, runFolder, "checkpoint*"))
	return len(found) > 0
}
