package record

import (
	"bufio"
	"fmt"
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

// locked reports whether a process of this machine holds the lock in file. It asks the kernel's list of
// locks, since to try the lock could keep a run from getting it.
func locked(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return false
	}
	defer f.Close()
	inode := fmt.Sprintf(":%d", s.Ino)
	lines := bufio.NewScanner(f)
	for lines.Scan() { // 1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF
		words := strings.Fields(lines.Text())
		if len(words) >= 6 && words[1] == "FLOCK" && strings.HasSuffix(words[5], inode) {
			return true
		}
	}
	return false
}
