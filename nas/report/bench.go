// Package report turns results into what people read: tables and pictures.
package report

import (
	"fmt"
	"slices"
	"time"

	"godarts/nas/finite"
)

// Bench is one run of a benchmark: how long the same work takes this program and
// others, its rivals, on one machine.
type Bench struct {
	Started  time.Time  `json:"started"`
	Machine  Machine    `json:"machine"`
	Device   string     `json:"device"`  // "cpu", "cuda:0"
	Threads  int        `json:"threads"` // of an operator on the CPU, for every program
	Seed     uint64     `json:"seed"`
	Programs []Program  `json:"programs"` // this one first
	Rows     []BenchRow `json:"rows"`
}

// Machine is what a time hangs on besides the programs.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
}

// Program is one of those compared.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"` // as it says itself
	Command string `json:"command"`
}

// BenchRow is one kind of work, done by every program.
type BenchRow struct {
	Name   string      `json:"name"`
	Title  string      `json:"title"`  // for people
	Work   string      `json:"work"`   // sizes: "C 16, 8 layers, batch 64"
	Passed int         `json:"passed"` // by one step
	Of     string      `json:"of"`     // what: "images" or "tokens"
	Sides  []BenchSide `json:"sides"`  // one for each program, in its order
	Notes  []string    `json:"notes,omitempty"`
}

// BenchSide is what one program took for a row.
type BenchSide struct {
	Name        string    `json:"name"`
	StepSeconds []float64 `json:"step_seconds"`         // of each round, the warm-up left out
	FirstLoss   *float64  `json:"first_loss,omitempty"` // of the warm-up; nil for work without a loss
	PeakBytes   int64     `json:"peak_bytes"`           // the most memory of its fresh process: resident, or of the GPU

	// What follows from them.
	Seconds     float64 `json:"seconds"`                // median
	PerSecond   float64 `json:"per_second"`             // of what BenchRow.Of says
	Ratio       *Ratio  `json:"ratio,omitempty"`        // its seconds over those of the first side, round by round
	MemoryRatio float64 `json:"memory_ratio,omitempty"` // peak of the first side over its own
}

// Ratio is that of two times, taken in pairs: one round after the other.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// lossesDiffer is the relative difference between the first losses of two
// programs in float32 from which on their work can not be the same.
const lossesDiffer = 1e-3

// NewBenchRow computes what follows from the measurements in row, and notes if
// two sides did not reach the same loss. It returns an error if the sides do not
// have the same number of rounds, at least one.
func NewBenchRow(row BenchRow) (BenchRow, error) {
	row.Sides = slices.Clone(row.Sides)
	row.Notes = slices.Clone(row.Notes)
	for i := range row.Sides {
		s, first := &row.Sides[i], row.Sides[0]
		if n := len(s.StepSeconds); n == 0 || n != len(first.StepSeconds) {
			return row, fmt.Errorf("report: %s: %d rounds of %s, %d of %s: wanted as many, at least one",
				row.Name, n, s.Name, len(first.StepSeconds), first.Name)
		}
		s.Seconds = median(s.StepSeconds)
		s.PerSecond = float64(row.Passed) / s.Seconds
		if i == 0 {
			continue
		}
		s.Ratio = pairs(s.StepSeconds, first.StepSeconds)
		s.MemoryRatio = float64(first.PeakBytes) / float64(s.PeakBytes)
		if a, b := first.FirstLoss, s.FirstLoss; a != nil && b != nil && !(abs(*a-*b) <= lossesDiffer*abs(*a)) {
			row.Notes = append(row.Notes, fmt.Sprintf("the first loss of %s is %.6g, of %s %.6g: they do not do the same work",
				first.Name, *a, s.Name, *b))
		}
	}
	return row, nil
}

// pairs is the ratio a[i]/b[i] over all rounds i.
func pairs(a, b []float64) *Ratio {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return &Ratio{Median: median(ratios), Min: slices.Min(ratios), Max: slices.Max(ratios)}
}

// median of at least one number; of an even number of them the mean of the
// middle two.
func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

func abs(x float64) float64 { return max(x, -x) }

// JSON is b for programs, readable by people too.
func (b Bench) JSON() ([]byte, error) {
	text, err := finite.Indented(b)
	if err != nil {
		return nil, fmt.Errorf("report: benchmark: %w", err)
	}
	return text, nil
}
