package record

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"godarts/nas/runfolder"
)

// State says how a run stands.
type State string

// States of runs.
const (
	Running     State = "running"     // a process works on it
	Interrupted State = "interrupted" // no process works on it, and it is not complete
	Diverged    State = "diverged"
	Done        State = "done"
)

// Symbol marks the state without colour.
func (s State) Symbol() string {
	switch s {
	case Done:
		return "✓"
	case Running:
		return "▸"
	case Diverged:
		return "✕"
	}
	return "‖"
}

// StateOf returns the state of the run in dir, and how it diverged if it has.
func StateOf(dir string) (State, *runfolder.DivergedError) {
	if runfolder.Finished(dir) {
		return Done, nil
	}
	if locked(filepath.Join(dir, runfolder.LockFile)) {
		return Running, nil
	}
	diverged, err := runfolder.ReadDivergence(dir)
	if err == nil && diverged != nil {
		return Diverged, diverged
	}
	return Interrupted, nil
}

// locked reports whether a process of this machine holds the lock in file.
func locked(file string) bool {
	info, err := os.Stat(file)
	return err == nil && ReadLocks().Hold(info)
}

// Locks are the files that processes of this machine have locked, by ":INODE" at the end of the kernel's
// list. To try a lock could keep a run from getting it.
type Locks map[string]bool

// ReadLocks reads the kernel's list. It is empty where there is none.
func ReadLocks() Locks {
	held := Locks{}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return held
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() { // 1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF
		words := strings.Fields(lines.Text())
		if len(words) < 6 || words[1] != "FLOCK" {
			continue
		}
		if at := strings.LastIndexByte(words[5], ':'); at >= 0 {
			held[words[5][at:]] = true
		}
	}
	return held
}

// Hold reports whether the file of which info tells is locked.
func (l Locks) Hold(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && l[fmt.Sprintf(":%d", s.Ino)]
}
