package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"godarts/scripts/campaign/device"
)

// fileCalls returns the file calls of the undisturbed run, in the order in which they ended.
func (t *trial) fileCalls(s subject) []device.Call {
	if calls, ok := t.calls[s.name]; ok {
		return calls
	}
	of := t.newTrial("traced-"+s.name, 0)
	log := filepath.Join(of.dir, "tmp", "strace")
	if p, status := of.run([]string{"strace", "-f", "-qq", "-y", "-xx", "-s", "1000000000", "-e", device.Traced, "-o", log}, s.line(false)...); status != 0 {
		t.failf("%s under strace: %s", p.line, p.stderr.String())
		return nil
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.failf("%v", err)
		return nil
	}
	root, err := filepath.EvalSymlinks(of.dir)
	if err != nil {
		t.failf("%v", err)
		return nil
	}
	if t.calls[s.name], err = device.Parse(string(text), root); err != nil {
		t.failf("strace of %s: %v", s, err)
	}
	os.RemoveAll(of.dir)
	return t.calls[s.name]
}

// canTrace tells whether strace works here.
var canTrace = sync.OnceValue(func() bool {
	return exec.Command("strace", "-f", "-o", "/dev/null", "-e", "inject=renameat:signal=SIGKILL:when=1", "true").Run() == nil
})

// noStrace returns what the machine lacks for tracing, empty if nothing.
func noStrace() string {
	if !canTrace() {
		return "strace is not installed, or may not trace here"
	}
	return ""
}
