// Package ptrace kills a process after its n-th file call.
package ptrace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Constants of ptrace(2) that package syscall lacks.
const (
	ptraceGetSyscallInfo = 0x420e
	ptraceExitKill       = 0x100000
	waitOwnThread        = 0x20000000 // __WNOTHREAD: wait only for what this thread traces
	callEntered          = 1
	callLeft             = 2
)

// tracer follows the threads and processes of a run from call to call.
type tracer struct {
	root   string       // calls on files below it count
	group  int          // of the processes
	inside map[int]bool // threads that are in such a call
	calls  int          // number of such calls that succeeded
	last   int          // the call after which its process is killed
}

// KillAfter runs a command in its folder c.Dir and kills the process that makes a file call,
// once the call has succeeded: the n-th of those on files below c.Dir that device.Parse
// reads. Processes that it started end by themselves. killed tells whether there was such a
// call. A command that takes longer than longest is an error.
func KillAfter(c *exec.Cmd, n int, longest time.Duration) (killed bool, err error) {
	runtime.LockOSThread() // a thread traces, not a process
	defer runtime.UnlockOSThread()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Ptrace: true}
	if err := c.Start(); err != nil {
		return false, err
	}
	r := &tracer{root: c.Dir, group: c.Process.Pid, inside: map[int]bool{}, last: n}
	end := time.AfterFunc(longest, func() { _ = syscall.Kill(-r.group, syscall.SIGKILL) })
	err = r.follow()
	if !end.Stop() {
		err = fmt.Errorf("took more than %v", longest)
	}
	_ = c.Process.Release()
	if err != nil {
		_ = syscall.Kill(-r.group, syscall.SIGKILL)
	}
	return r.calls >= n, err
}

// follow resumes the threads at each stop, until none is left.
func (r *tracer) follow() error {
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(r.group, &status, waitOwnThread|syscall.WALL, nil); err != nil {
		return err
	}
	const options = syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEFORK | syscall.PTRACE_O_TRACEVFORK | syscall.PTRACE_O_TRACEEXEC | ptraceExitKill
	if err := syscall.PtraceSetOptions(r.group, options); err != nil {
		return err
	}
	thread, signal := r.group, 0
	begun := map[int]bool{thread: true}
	for {
		if err := syscall.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		var err error
		for {
			if thread, err = syscall.Wait4(-1, &status, waitOwnThread|syscall.WALL, nil); !errors.Is(err, syscall.EINTR) {
				break
			}
		}
		switch {
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil:
			return err
		}
		signal = 0
		switch {
		case !status.Stopped():
			thread = -1 // it has ended: there is no thread to resume
		case status.StopSignal() == syscall.SIGTRAP|0x80:
			if err := r.call(thread); err != nil {
				return err
			}
		case status.StopSignal() == syscall.SIGTRAP && status.TrapCause() > 0: // it started a thread or a program
		case status.StopSignal() == syscall.SIGSTOP && !begun[thread]: // a new one
			begun[thread] = true
		default:
			signal = int(status.StopSignal())
		}
	}
}

// call handles a call that a thread enters or leaves.
func (r *tracer) call(thread int) error {
	var info [88]byte // struct ptrace_syscall_info
	_, _, e := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(thread), uintptr(len(info)), uintptr(unsafe.Pointer(&info)), 0, 0)
	switch {
	case e == syscall.ESRCH: // killed in the meantime
		return nil
	case e != 0:
		return fmt.Errorf("ptrace: %w", e)
	}
	word := func(n int) uint64 { return binary.NativeEndian.Uint64(info[24+8*n:]) }
	switch {
	case info[0] == callEntered:
		r.inside[thread] = r.changes(thread, word(0), [...]uint64{word(1), word(2), word(3)})
	case info[0] == callLeft && r.inside[thread]:
		r.inside[thread] = false
		if failed := info[32] != 0; failed {
			return nil
		}
		if r.calls++; r.calls == r.last {
			return r.kill(thread)
		}
	}
	return nil
}

// changes tells whether a call is on a file below the root and among those that device.Parse reads.
func (r *tracer) changes(thread int, number uint64, args [3]uint64) bool {
	switch number {
	case syscall.SYS_OPENAT:
		return args[2]&(syscall.O_CREAT|syscall.O_TRUNC) != 0 && r.below(r.text(thread, args[1]))
	case syscall.SYS_RENAMEAT, syscall.SYS_LINKAT, syscall.SYS_UNLINKAT, syscall.SYS_MKDIRAT:
		return r.below(r.text(thread, args[1]))
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64, syscall.SYS_FTRUNCATE, syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, int32(args[0])))
		return err == nil && filepath.IsAbs(path) && !strings.HasSuffix(path, " (deleted)") && r.below(path)
	}
	return false
}

// below tells whether a path, absolute or from the root, lies below the root.
func (r *tracer) below(path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.root, path)
	}
	relative, err := filepath.Rel(r.root, path)
	return err == nil && !strings.HasPrefix(relative, "..")
}

// text reads a path from the memory of a thread.
func (r *tracer) text(thread int, at uint64) string {
	var path []byte
	for chunk := make([]byte, 256); len(path) < 4096; {
		n, err := syscall.PtracePeekData(thread, uintptr(at)+uintptr(len(path)), chunk)
		end := bytes.IndexByte(chunk[:n], 0)
		if end >= 0 {
			return string(append(path, chunk[:end]...))
		}
		if err != nil || n == 0 {
			break
		}
		path = append(path, chunk[:n]...)
	}
	return string(path)
}

// kill kills the process of a thread.
func (r *tracer) kill(thread int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(status), "Tgid:\t")
	var process int
	if _, err := fmt.Sscan(after, &process); err != nil {
		return fmt.Errorf("process of thread %d: %w", thread, err)
	}
	return syscall.Kill(process, syscall.SIGKILL)
}
