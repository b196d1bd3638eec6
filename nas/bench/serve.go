package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"godarts/nas/finite"
	"godarts/torch"
)

// Measure and a measured program exchange lines. The program makes its network and says
// that it is ready. It answers each line "step" by the time of a step, and the end of its
// input by its peak memory.
const askStep = "step"

// answer is a line of a program, as JSON. Its fields depend on the request.
type answer struct {
	Ready   string `json:"ready,omitempty"` // the program with its version
	Threads int    `json:"threads,omitempty"`

	Seconds float64  `json:"seconds,omitempty"`
	Loss    *float64 `json:"loss,omitempty"` // in the step's forward pass

	PeakBytes int64 `json:"peak_bytes,omitempty"`
}

// Serve runs the measured program, which names itself by version. It prepares the work,
// then takes a step for each line "step" until in ends.
func Serve(w Work, version string, in io.Reader, out io.Writer) error {
	row, err := FindRow(w.Row)
	if err != nil {
		return err
	}
	if w.Threads > 0 {
		torch.SetThreads(w.Threads)
	}
	say := func(a answer) error {
		line, err := finite.Marshal(a)
		if err != nil {
			return err
		}
		_, err = out.Write(append(line, '\n'))
		return err
	}
	return torch.Do(func() error {
		torch.ManualSeed(w.Seed)
		step, err := row.prepare(w)
		if err != nil {
			return err
		}
		if err := say(answer{Ready: version, Threads: torch.Threads()}); err != nil {
			return fmt.Errorf("bench: %s: %w", w.Row, err)
		}
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if lines.Text() != askStep {
				return fmt.Errorf("bench: %s: unknown request %q (there is: %s)", w.Row, lines.Text(), askStep)
			}
			if err := say(timed(step)); err != nil {
				return fmt.Errorf("bench: %s: %w", w.Row, err)
			}
		}
		peak, err := peakBytes(w.Device)
		if err != nil {
			return err
		}
		return say(answer{PeakBytes: peak})
	})
}

// timed takes a step and measures its time.
func timed(step step) (a answer) {
	torch.Scoped(func() {
		start := time.Now()
		a.Loss = step()
		a.Seconds = time.Since(start).Seconds()
	})
	return a
}

// peakBytes returns the peak memory of this process so far: resident, or of a GPU.
func peakBytes(d torch.Device) (int64, error) {
	if d.IsCUDA() {
		return torch.PeakReserved(d), nil
	}
	const file = "/proc/self/status"
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("bench: peak memory: %w", err)
	}
	peak, err := kilobytes(string(text), "VmHWM")
	if err != nil {
		return 0, fmt.Errorf("bench: peak memory: %s: %w", file, err)
	}
	return peak, nil
}

// kilobytes returns the value of a line "name: 1234 kB" in bytes.
func kilobytes(text, name string) (bytes int64, err error) {
	value, ok := strings.CutSuffix(field(text, name), " kB")
	if !ok {
		return 0, fmt.Errorf("there is no %s", name)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return n << 10, err
}

// field returns the value after "name:" in text, the first if there are several.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
