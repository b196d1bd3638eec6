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

// process is a program that runs the steps of one row.
type process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr lastLine
	ended  bool

	// Wall time and processor time in seconds, during the steps of others.
	waited, computed float64
}

// start runs a program with args after its command. The program ends at the latest when
// ctx does.
func start(ctx context.Context, s Side, args []string) (*process, error) {
	command := append(append([]string{}, s.Command...), args...)
	p := &process{name: s.Name, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	// A group of its own, so that the processes it starts end with it. A Ctrl-C at the terminal
	// reaches only this program, which ends the others. If this program is killed, so are they.
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

// step asks the program for a step.
func (p *process) step() (answer, error) {
	// If the program is gone, reading its answer fails, with its last output.
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
		return a, fmt.Errorf("bench: %s: failed when it ended: %w%s", p.name, err, p.stderr.quoted())
	}
	return a, nil
}

// stop ends the program if it still runs.
func (p *process) stop() {
	if !p.ended {
		p.ended = true
		_ = p.cmd.Cancel()
		_ = p.cmd.Wait() // it was killed, so its status does not matter
	}
}

// answer reads a line, which has to be JSON as in example.
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

// cpuSeconds returns the processor time of the process and its ended children so far.
func (p *process) cpuSeconds() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0 // it has ended, which the next answer shows
	}
	return parseCPUSeconds(string(stat))
}

const ticksPerSecond = 100 // the unit of the kernel's interface, on every machine

// parseCPUSeconds adds utime, stime, cutime and cstime of a /proc/PID/stat.
func parseCPUSeconds(stat string) float64 {
	// The name may hold any characters; the other fields follow it.
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

// quoted returns the line as the end of a message, or nothing. Wait for the process before,
// since it may still write.
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
