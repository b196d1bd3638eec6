// Package report writes results as tables and charts.
package report

import (
	"fmt"
	"slices"
	"time"

	"godarts/nas/finite"
)

// Bench is one run of a benchmark: the times of the same work on one machine, by this
// program and by others, its rivals.
type Bench struct {
	Started  time.Time  `json:"started"`
	Machine  Machine    `json:"machine"`
	Device   string     `json:"device"`  // "cpu", "cuda:0"
	Threads  int        `json:"threads"` // of an operator on the CPU, for every program
	Seed     uint64     `json:"seed"`
	Programs []Program  `json:"programs"` // this one first
	Rows     []BenchRow `json:"rows"`
}

// Machine is the hardware, on which times depend as on the programs.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	Peak   Peak   `json:"peak,omitzero"`
}

// Peak is what the processor reaches where little else is in the way.
type Peak struct {
	GFLOPS      float64 `json:"gflops"`
	GBPerSecond float64 `json:"gb_per_second"`
}

// String returns a text such as "products reach 180 GFLOPS, sums of vectors 14.2 GB/s".
func (p Peak) String() string {
	return fmt.Sprintf("products reach %s GFLOPS, sums of vectors %s GB/s", digits(p.GFLOPS, 3), digits(p.GBPerSecond, 3))
}

// Program is one of the programs that are compared.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"` // as the program prints it
	Command string `json:"command"`
}

// BenchRow is one kind of work and its measurements, by every program.
type BenchRow struct {
	Name   string      `json:"name"`
	Title  string      `json:"title"`  // for people
	Work   string      `json:"work"`   // sizes: "C 16, 8 layers, batch 64"
	Passed int         `json:"passed"` // number of images or tokens in a step
	Of     string      `json:"of"`     // "images" or "tokens"
	Sides  []BenchSide `json:"sides"`  // one for each program, in its order
	Load   float64     `json:"load"`   // number of cores that other processes used meanwhile
	Notes  []string    `json:"notes,omitempty"`
}

// UnderLoad is the number of cores that other processes use above which factors are not to be trusted.
const UnderLoad = 0.1

// BenchSide holds the measurements of one program in a row.
type BenchSide struct {
	Name        string    `json:"name"`
	StepSeconds []float64 `json:"step_seconds"`         // of each round, without the warm-up
	FirstLoss   *float64  `json:"first_loss,omitempty"` // in the warm-up; nil for work without a loss
	PeakBytes   int64     `json:"peak_bytes"`           // peak memory of its fresh process: resident, or of the GPU

	// NewBenchRow computes these.
	Seconds     float64 `json:"seconds"`                // median
	PerSecond   float64 `json:"per_second"`             // of what BenchRow.Of says
	Ratio       *Ratio  `json:"ratio,omitempty"`        // its seconds divided by the first side's, round by round
	MemoryRatio float64 `json:"memory_ratio,omitempty"` // peak of the first side over its own
}

// Ratio is the ratio of two times over all rounds. Each round gives one ratio.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// lossesDiffer is the least relative difference between the first losses of two
// programs in float32 that shows that they do different work.
const lossesDiffer = 1e-3

// NewBenchRow computes medians and ratios from the measurements in row, and adds a note
// if two sides did not reach the same loss. It returns an error unless all sides have the
// same number of rounds, at least one.
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

// pairs returns the ratio a[i]/b[i] over all rounds i.
func pairs(a, b []float64) *Ratio {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return &Ratio{Median: median(ratios), Min: slices.Min(ratios), Max: slices.Max(ratios)}
}

// median returns the median of at least one number. For an even number of them it is
// the mean of the middle two.
func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

func abs(x float64) float64 { return max(x, -x) }

// JSON returns b as indented JSON.
func (b Bench) JSON() ([]byte, error) {
	text, err := finite.Indented(b)
	if err != nil {
		return nil, fmt.Errorf("report: benchmark: %w", err)
	}
	return text, nil
}
