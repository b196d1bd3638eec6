package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that serves the steps of one row.
type process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr lastLine
	ended  bool

	// Seconds on the clock and of the processor, while others took their steps.
	waited, computed float64
}

// start runs a program with args behind its command. Its end, if nobody asks for
// it before, comes with that of ctx.
func start(ctx context.Context, s Side, args []string) (*process, error) {
	command := append(append([]string{}, s.Command...), args...)
	p := &process{name: s.Name, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	// A group of its own: what it started ends with it, and a Ctrl-C at the terminal
	// reaches this program alone, which then ends the others. If this one is killed, so are they.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	p.cmd.WaitDelay = 5 * time.Second
	p.cmd.Stderr = &p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", s.Name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", s.Name, err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", s.Name, err)
	}
	return p, nil
}

// ready waits until the program has made its network.
func (p *process) ready() (answer, error) {
	return p.answer("ready", `{"ready": "NAME VERSION", "threads": 2}`, func(a answer) bool { return a.Ready != "" })
}

// step lets the program take a step.
func (p *process) step() (answer, error) {
	// A program that is gone is told from its answer, with what it said last.
	_, _ = io.WriteString(p.in, askStep+"\n")
	return p.answer("step", `{"seconds": 1.5, "loss": 2.3}`, func(a answer) bool { return a.Seconds > 0 })
}

// finish asks for the peak memory and waits for the end.
func (p *process) finish() (answer, error) {
	p.in.Close()
	a, err := p.answer("end", `{"peak_bytes": 1000000}`, func(a answer) bool { return a.PeakBytes > 0 })
	if err != nil {
		return a, err
	}
	p.ended = true
	if err := p.cmd.Wait(); err != nil {
		return a, fmt.Errorf("bench: %s: failed at its end: %w%s", p.name, err, p.stderr.quoted())
	}
	return a, nil
}

// stop ends the program if it still runs.
func (p *process) stop() {
	if !p.ended {
		p.ended = true
		_ = p.cmd.Cancel()
		_ = p.cmd.Wait() // it was killed: its status says no more
	}
}

// answer reads a line, which is to be JSON as in example.
func (p *process) answer(to, example string, fits func(answer) bool) (a answer, err error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.ended = true
		status := p.cmd.Wait()
		if status == nil {
			return a, fmt.Errorf("bench: %s: ended without an answer to %q%s", p.name, to, p.stderr.quoted())
		}
		return a, fmt.Errorf("bench: %s: ended without an answer to %q: %w%s", p.name, to, status, p.stderr.quoted())
	}
	if err := json.Unmarshal([]byte(line), &a); err != nil || !fits(a) {
		p.stop()
		return a, fmt.Errorf("bench: %s: answered %q to %q, wanted a line such as %s%s",
			p.name, strings.TrimSpace(line), to, example, p.stderr.quoted())
	}
	return a, nil
}

// cpuSeconds is what the process has computed so far, its ended children included.
func (p *process) cpuSeconds() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0 // it ended: the next answer tells
	}
	return parseCPUSeconds(string(stat))
}

// parseCPUSeconds adds utime, stime, cutime and cstime of a /proc/PID/stat.
func parseCPUSeconds(stat string) float64 {
	const ticksPerSecond = 100 // of what the kernel tells programs, on every machine
	// The name before may hold anything; fields count from behind it.
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	const utime, cstime = 11, 14
	if len(fields) <= cstime {
		return 0
	}
	ticks := 0
	for _, field := range fields[utime : cstime+1] {
		n, _ := strconv.Atoi(field)
		ticks += n
	}
	return float64(ticks) / ticksPerSecond
}

// lastLine keeps the last line written to it that is not blank.
type lastLine struct {
	line, open []byte
}

// Write implements io.Writer.
func (l *lastLine) Write(text []byte) (int, error) {
	l.open = append(l.open, text...)
	for {
		line, rest, whole := bytes.Cut(l.open, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		if len(bytes.TrimSpace(line)) > 0 {
			l.line = bytes.Clone(line)
		}
		l.open = rest
	}
}

// quoted is the line as the end of a message, or nothing. The process has to be
// waited for before, or it may still be written to.
func (l *lastLine) quoted() string {
	line := l.line
	if open := bytes.TrimSpace(l.open); len(open) > 0 {
		line = open
	}
	if len(line) == 0 {
		return ""
	}
	return "; its last words: " + string(bytes.TrimSpace(line))
}
