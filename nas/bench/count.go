package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"godarts/nas/report"
	"godarts/torch"
)

// CountOptions select the steps whose operators are counted.
type CountOptions struct {
	Rows    []string // names
	Form    string   // one of Forms
	Full    bool     // the paper's sizes, not the small ones
	Instead Sizes    // its sizes above 0 replace these
	AsGPU   bool     // in the form that suits a GPU, see torch.CountAsGPU
	Threads int      // of an operator on the CPU; 0 is libtorch's choice
	Seed    uint64
	Device  torch.Device
	Log     io.Writer
}

// Countable returns the names of the rows whose work is that of operators.
func Countable() (names []string) {
	for _, r := range Rows() {
		if r.operators() {
			names = append(names, r.Name)
		}
	}
	return names
}

// operators tells whether the row's work is that of a network.
func (r Row) operators() bool { return r.full.Channels+r.full.Units > 0 }

// FindCountable is FindRow for rows whose operators can be counted.
func FindCountable(name string) (Row, error) {
	row, err := FindRow(name)
	if err == nil && !row.operators() {
		err = fmt.Errorf("bench: row %s has no network to count operators of (there are: %s)", name, strings.Join(Countable(), ", "))
	}
	return row, err
}

// Count counts the operators of one step of each row, after a warm-up step, in this process. After each row it passes
// the counts so far to done.
func Count(ctx context.Context, o CountOptions, done func(report.Counts) error) error {
	c := report.Counts{
		Started: time.Now(), Machine: Machine(), Libtorch: torch.Version(), Device: o.Device.String(), Form: o.Form, AsGPU: o.AsGPU, Seed: o.Seed,
	}
	for _, name := range o.Rows {
		row, err := FindCountable(name)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = torch.Do(func() error {
			if o.Threads > 0 {
				defer torch.SetThreads(torch.Threads())
				torch.SetThreads(o.Threads)
			}
			c.Threads = torch.Threads()
			counted, err := o.count(row)
			c.Rows = append(c.Rows, counted)
			return err
		})
		if err != nil {
			return fmt.Errorf("%w (row %s)", err, row.Name)
		}
		if err := done(c); err != nil {
			return err
		}
	}
	return nil
}

// count counts one step of the row.
func (o CountOptions) count(row Row) (counted report.CountRow, err error) {
	w := Work{Row: row.Name, Form: o.Form, Sizes: row.Sizes(o.Full, o.Instead), Threads: o.Threads, Seed: o.Seed, Device: o.Device}
	torch.ManualSeed(w.Seed)
	step, err := row.prepare(w)
	if err != nil {
		return counted, err
	}
	count := torch.Count
	if o.AsGPU {
		count = torch.CountAsGPU
	}
	var warm, measured answer
	count(func() { warm = timed(step) }) // in the same form, which may make tensors that it keeps
	fmt.Fprintf(o.Log, "%s, warm-up: %.3g s\n", row.Title, warm.Seconds)
	operators := count(func() { measured = timed(step) })
	counted = report.CountRow{Name: row.Name, Title: row.Title, Work: w.Sizes.String(), Seconds: measured.Seconds}
	for _, c := range operators {
		counted.Operators = append(counted.Operators, report.OperatorCount(c))
	}
	return report.NewCountRow(counted), nil
}
