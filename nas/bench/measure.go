package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"godarts/nas/report"
	"godarts/torch"
)

// Side is a program that is measured. Command starts it; Measure appends the flags of
// Work.flags.
type Side struct {
	Name    string
	Command []string
}

// Options select what to measure, and how.
type Options struct {
	Rows    []string      // names; none means all
	Full    bool          // the paper's sizes, not the small ones
	Instead Sizes         // its sizes above 0 replace these
	Rounds  int           // timed steps of each side, at least 1
	Budget  time.Duration // for the rounds of a row, at least minRounds of them
	Threads int           // of an operator on the CPU; 0 is libtorch's choice
	Seed    uint64
	Device  torch.Device
	Sides   []Side // this program first
	Probe   bool   // measure what the processor reaches at most
	Log     io.Writer
}

// minRounds is the least number of timed steps, however long they take, unless Rounds
// is less.
const minRounds = 2

// flags returns the flags that select the work of a program.
func (w Work) flags() []string {
	flags := []string{"--serve", w.Row}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"--batch", w.Batch}, {"--channels", w.Channels}, {"--layers", w.Layers}, {"--images", w.Images},
		{"--units", w.Units}, {"--tokens", w.Tokens}, {"--bptt", w.Steps}, {"--threads", w.Threads},
	} {
		if n.value != 0 {
			flags = append(flags, n.name, strconv.Itoa(n.value))
		}
	}
	if w.Files != "" {
		flags = append(flags, "--files", w.Files)
	}
	return append(flags, "--seed", strconv.FormatUint(w.Seed, 10), "--device", w.Device.String())
}

// Measure runs the sides of each row in fresh processes, which take turns. Each takes a
// warm-up step, then one timed step in every round, while the others wait. After each row
// Measure passes the measurements so far to done.
func Measure(ctx context.Context, o Options, done func(report.Bench) error) error {
	// The programs end with the thread that starts them, see start.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	names := o.Rows
	if len(names) == 0 {
		for _, r := range Rows() {
			names = append(names, r.Name)
		}
	}
	var rows []Row
	for _, name := range names {
		row, err := FindRow(name)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if o.Threads == 0 {
		o.Threads = torch.Threads()
	}
	b := report.Bench{Started: time.Now(), Machine: Machine(), Device: o.Device.String(), Threads: o.Threads, Seed: o.Seed}
	if o.Probe && o.Device == torch.CPU {
		var err error
		if b.Machine.Peak, err = probe(o.Threads); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		fmt.Fprintf(o.Log, "this machine: %s\n", b.Machine.Peak)
	}
	for _, s := range o.Sides {
		b.Programs = append(b.Programs, report.Program{Name: s.Name, Command: strings.Join(s.Command, " ")})
	}
	for _, row := range rows {
		measured, versions, err := o.measure(ctx, row)
		if ctx.Err() != nil {
			return ctx.Err() // other errors follow from it
		}
		if err != nil {
			return fmt.Errorf("%w (row %s)", err, row.Name)
		}
		for i := range b.Programs {
			b.Programs[i].Version = versions[i]
		}
		b.Rows = append(b.Rows, measured)
		if err := done(b); err != nil {
			return err
		}
	}
	return nil
}

// measure measures one row.
func (o Options) measure(ctx context.Context, row Row) (measured report.BenchRow, versions []string, err error) {
	work := Work{Row: row.Name, Sizes: row.Sizes(o.Full, o.Instead), Threads: o.Threads, Seed: o.Seed, Device: o.Device}
	measured = report.BenchRow{Name: row.Name, Title: row.Title, Work: work.Sizes.String()}
	measured.Passed, measured.Of = work.passed()
	if row.MakeFiles != nil {
		if work.Files, err = os.MkdirTemp("", "darts-bench"); err != nil {
			return measured, nil, fmt.Errorf("bench: %w", err)
		}
		defer os.RemoveAll(work.Files)
		if err := row.MakeFiles(work.Files, work); err != nil {
			return measured, nil, fmt.Errorf("bench: %w", err)
		}
	}
	t := turns{log: o.Log, title: row.Title}
	defer t.stop()
	for _, s := range o.Sides {
		// One after the other, since they need memory to get ready.
		version, err := t.add(ctx, s, work)
		if err != nil {
			return measured, nil, err
		}
		versions = append(versions, version)
		measured.Sides = append(measured.Sides, report.BenchSide{Name: s.Name})
	}
	if err := o.rounds(&t, &measured); err != nil {
		return measured, nil, err
	}
	for i, p := range t.processes {
		end, err := p.finish()
		if err != nil {
			return measured, nil, err
		}
		measured.Sides[i].PeakBytes = end.PeakBytes
	}
	measured.Load = t.load.others()
	measured.Notes = append(append(measured.Notes, t.restless()...), t.load.note()...)
	measured, err = report.NewBenchRow(measured)
	return measured, versions, err
}

// rounds takes a warm-up, then the wanted number of rounds or as many as the budget
// allows.
func (o Options) rounds(t *turns, measured *report.BenchRow) error {
	err := t.round("warm-up", func(side int, a answer) { measured.Sides[side].FirstLoss = a.Loss })
	if err != nil {
		return err
	}
	began := time.Now()
	for round := 1; round <= o.Rounds; round++ {
		done := round - 1
		if spent := time.Since(began); done >= minRounds && spent+spent/time.Duration(done) > o.Budget {
			measured.Notes = append(measured.Notes,
				fmt.Sprintf("%d rounds, not %d: another would have taken it beyond %s", done, o.Rounds, o.Budget))
			break
		}
		err := t.round(fmt.Sprintf("round %d of %d", round, o.Rounds), func(side int, a answer) {
			s := &measured.Sides[side]
			s.StepSeconds = append(s.StepSeconds, a.Seconds)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// turns runs processes one at a time.
type turns struct {
	processes []*process
	title     string
	log       io.Writer
	load      load
}

// add starts a program, waits until it is ready and returns its version.
func (t *turns) add(ctx context.Context, s Side, work Work) (version string, err error) {
	p, err := start(ctx, s, work.flags())
	if err != nil {
		return "", err
	}
	t.processes = append(t.processes, p)
	ready, err := p.ready()
	if err != nil {
		return "", err
	}
	if ready.Threads != work.Threads {
		return "", fmt.Errorf("bench: %s: computes with %d threads, asked for %d", s.Name, ready.Threads, work.Threads)
	}
	return ready.Ready, nil
}

// round runs a step of each process.
func (t *turns) round(name string, took func(side int, a answer)) error {
	var times []string
	for side, p := range t.processes {
		before := map[*process]float64{}
		for _, other := range t.processes {
			before[other] = other.cpuSeconds()
		}
		var a answer
		err := t.load.during(t.processes, func() (err error) {
			a, err = p.step()
			return err
		})
		if err != nil {
			return err
		}
		for _, other := range t.processes {
			if other != p {
				other.waited += a.Seconds
				other.computed += other.cpuSeconds() - before[other]
			}
		}
		took(side, a)
		times = append(times, fmt.Sprintf("%s %.3g s", p.name, a.Seconds))
	}
	fmt.Fprintf(t.log, "%s, %s: %s\n", t.title, name, strings.Join(times, ", "))
	return nil
}

// restless returns a note for each process that computed during the turns of others, which
// makes all times too long.
func (t *turns) restless() (notes []string) {
	const much, tick = 0.02, 0.1 // fraction of the time waited; seconds, below which the clock is too coarse
	for _, p := range t.processes {
		if p.computed > tick && p.computed > much*p.waited {
			notes = append(notes, fmt.Sprintf("%s computed for %.2g s during the %.2g s of others' turns", p.name, p.computed, p.waited))
		}
	}
	return notes
}

// stop ends the processes that still run.
func (t *turns) stop() {
	for _, p := range t.processes {
		p.stop()
	}
}

// Machine describes this machine. Fields that the system does not report stay empty.
func Machine() report.Machine {
	m := report.Machine{CPU: "unknown processor", Cores: runtime.NumCPU()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := field(string(text), "model name"); name != "" {
			m.CPU = name
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		m.Memory, _ = kilobytes(string(text), "MemTotal")
	}
	return m
}
