package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// longest is how long a process of a small run may take on a busy machine.
const longest = 10 * time.Minute

// process is a process of the program, in a process group of its own.
type process struct {
	command        *exec.Cmd
	line           string
	stdout, stderr bytes.Buffer
	ended          chan struct{}
	late           bool // killed because it took too long
}

// start starts the program in the folder of the trial. The words of wrapper, such as strace,
// come before it.
func (t *trial) start(wrapper []string, args ...string) *process {
	line := append(slices.Clone(wrapper), t.darts)
	line = append(line, args...)
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	p := &process{command: exec.CommandContext(ctx, line[0], line[1:]...), line: clipped(quoted(line)), ended: make(chan struct{})}
	p.command.Dir = t.dir
	p.command.Env = t.environment()
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.command.Cancel = func() error {
		p.late = true
		return p.signal(syscall.SIGKILL)
	}
	p.command.WaitDelay = 10 * time.Second // for processes that it started and that hold its output
	t.note("OMP_NUM_THREADS=1 %s", quoted(line))
	t.running = append(t.running, p)
	if err := p.command.Start(); err != nil {
		t.failf("%s: %v", p.line, err)
		cancel()
		close(p.ended)
		return p
	}
	go func() {
		_ = p.command.Wait()
		cancel()
		close(p.ended)
	}()
	return p
}

// environment is the environment of the program.
func (t *trial) environment() []string {
	return append(os.Environ(), "OMP_NUM_THREADS=1", "TMPDIR="+filepath.Join(t.dir, "tmp"))
}

// signal sends s to the program, not to processes that it started.
func (p *process) signal(s syscall.Signal) error { return p.command.Process.Signal(s) }

// wait waits for the end and returns the exit status, -1 after a signal.
func (p *process) wait() int {
	<-p.ended
	if p.command.ProcessState == nil {
		return -1
	}
	return p.command.ProcessState.ExitCode()
}

// run runs the program to its end and judges it.
func (t *trial) run(wrapper []string, args ...string) (p *process, status int) {
	p = t.start(wrapper, args...)
	status = p.wait()
	t.judge(p)
	return p, status
}

// reap kills what is left of the process group.
func (p *process) reap(t *trial) {
	<-p.ended
	if p.command.Process == nil {
		return
	}
	group := -p.command.Process.Pid
	for range 100 { // processes that the program started end with it
		if errors.Is(syscall.Kill(group, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	t.failf("%s left a process that went on for 10 s", p.line)
}

// traces matches what a crash prints.
var traces = regexp.MustCompile(`goroutine \d+|panic:|runtime error|fatal error:|SIGSEGV|SIGABRT|SIGBUS|terminate called|core dumped|Sanitizer:|\.go:\d+ \+0x`)

// judge fails the trial if the process printed a trace, ended by a signal, or failed without
// lines that say why.
func (t *trial) judge(p *process) {
	said := p.stderr.String()
	switch m := traces.FindString(p.stdout.String() + said); {
	case p.late:
		t.failf("%s took more than %v", p.line, longest)
		return
	case m != "":
		t.failf("%s printed a trace (%q): %s", p.line, m, shortened(said))
		return
	}
	state := p.command.ProcessState
	if state == nil || state.ExitCode() == 0 {
		return
	}
	if state.ExitCode() < 0 {
		t.failf("%s ended by a signal: %v; it printed %s", p.line, state, shortened(said))
		return
	}
	t.judgeError(p, said)
}

// ways are the beginnings of lines on stderr: errors and notes, and answers to signals.
var ways = []string{"darts: ", "interrupted; go on with: ", "quit; go on ", "still finishing "}

// control matches what acts on a terminal: control characters, separators, marks of direction.
var control = regexp.MustCompile(`[\p{Cc}\x{2028}\x{2029}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]`)

// judgeError fails the trial if a line is not readable or does not begin as one of ways.
func (t *trial) judgeError(p *process, said string) {
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	for _, line := range lines {
		if !slices.ContainsFunc(ways, func(way string) bool { return strings.HasPrefix(line, way) }) {
			t.failf("%s failed without an error, or with one of several lines: %s", p.line, shortened(said))
			return
		}
	}
	text := strings.Join(lines, "")
	if m := control.FindString(text); m != "" || !utf8.ValidString(text) {
		t.failf("%s printed the control character %+q, or what is no UTF-8", p.line, m)
	}
	if utf8.RuneCountInString(text) > mostText {
		t.failf("%s gave an error of %d bytes: %s", p.line, len(text), shortened(said))
	}
}

// mostText is how many characters errors may have, with the names of files.
const mostText = 1600

// clipped leaves out the middle of a long text.
func clipped(s string) string {
	if len(s) > 600 {
		s = s[:300] + " ... " + s[len(s)-300:]
	}
	return s
}

// shortened quotes a text without its middle.
func shortened(s string) string { return fmt.Sprintf("%q", clipped(s)) }

var plain = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// quoted returns a command line for a shell.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		if words[i] = a; !plain.MatchString(a) {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// described lists a tally.
func described(tally map[string]int) string {
	text := ""
	for _, outcome := range slices.Sorted(maps.Keys(tally)) {
		if outcome != "" {
			text += fmt.Sprintf("; %s: %d", outcome, tally[outcome])
		}
	}
	return text
}
