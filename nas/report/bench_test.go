package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/report"
)

func side(name string, peak int64, seconds ...float64) report.BenchSide {
	return report.BenchSide{Name: name, StepSeconds: seconds, PeakBytes: peak}
}

func newRow(t *testing.T, row report.BenchRow) report.BenchRow {
	t.Helper()
	row, err := report.NewBenchRow(row)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestBenchRow(t *testing.T) {
	// NewBenchRow computes medians, and ratios from pairs of rounds.
	for _, test := range []struct {
		name        string
		ours, other []float64
		seconds     float64 // of other
		images      float64 // of other, a second
		want        report.Ratio
	}{
		{"one round", []float64{2}, []float64{5}, 5, 2, report.Ratio{Median: 2.5, Min: 2.5, Max: 2.5}},
		{"odd", []float64{1, 2, 4}, []float64{8, 10, 8}, 8, 1.25, report.Ratio{Median: 5, Min: 2, Max: 8}},
		{"even", []float64{1, 1, 1, 1}, []float64{4, 1, 3, 2}, 2.5, 4, report.Ratio{Median: 2.5, Min: 1, Max: 4}},
		// A machine that is slow in the first round slows both: the ratios do not change.
		{"both slow once", []float64{10, 1, 2}, []float64{20, 2, 4}, 4, 2.5, report.Ratio{Median: 2, Min: 2, Max: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			row := newRow(t, report.BenchRow{Passed: 10, Of: "images", Sides: []report.BenchSide{
				side("darts", 3e9, test.ours...), side("pytorch", 12e9, test.other...),
			}})
			ours, other := row.Sides[0], row.Sides[1]
			if ours.Ratio != nil || ours.MemoryRatio != 0 {
				t.Errorf("the first side is compared with itself: %+v", ours)
			}
			if other.Seconds != test.seconds || other.PerSecond != test.images || *other.Ratio != test.want || other.MemoryRatio != 0.25 {
				t.Errorf("got %+v, ratio %+v, want %g s, %g images/s, ratio %+v, memory ratio 0.25",
					other, *other.Ratio, test.seconds, test.images, test.want)
			}
		})
	}
}

func TestBenchRowErrors(t *testing.T) {
	// A row is refused when its sides have different numbers of rounds.
	for _, test := range []struct {
		name string
		a, b []float64
		want string
	}{
		{"no round", nil, nil, "report: train: 0 rounds of darts, 0 of darts: wanted as many, at least one"},
		{"unequal", []float64{1, 2}, []float64{1}, "report: train: 1 rounds of pytorch, 2 of darts: wanted as many, at least one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := report.NewBenchRow(report.BenchRow{Name: "train", Sides: []report.BenchSide{
				side("darts", 1, test.a...), side("pytorch", 1, test.b...),
			}})
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestBenchLosses(t *testing.T) {
	// A note is added when two sides do not reach the same loss from the same start.
	note := "the first loss of darts is 2.3, of pytorch 2.31: they do not do the same work"
	for _, test := range []struct {
		name        string
		ours, other float64
		want        []string
	}{
		{"equal to rounding", 2.3, 2.30002, nil},
		{"different", 2.3, 2.31, []string{note}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := side("darts", 1, 1), side("pytorch", 1, 1)
			a.FirstLoss, b.FirstLoss = &test.ours, &test.other
			row := newRow(t, report.BenchRow{Sides: []report.BenchSide{a, b}})
			if diff := cmp.Diff(test.want, row.Notes); diff != "" {
				t.Error(diff)
			}
		})
	}
	a, b := side("darts", 1, 1), side("pytorch", 1, 1)
	a.FirstLoss = new(float64)
	if row := newRow(t, report.BenchRow{Sides: []report.BenchSide{a, b}}); row.Notes != nil {
		t.Errorf("notes %q on a side without a loss", row.Notes)
	}
}

func example(t *testing.T) report.Bench {
	t.Helper()
	loss := 2.356408
	ours := side("darts", 4.5e9, 6, 6.5, 6.25)
	ours.FirstLoss = &loss
	return report.Bench{
		Started: time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC),
		Machine: report.Machine{CPU: "AMD EPYC", Cores: 2, Memory: 25e9}, Device: "cpu", Threads: 2, Seed: 1,
		Programs: []report.Program{
			{Name: "darts", Version: "darts 0.1.0, libtorch 2.11.0", Command: "bin/darts bench"},
			{Name: "pytorch", Version: "PyTorch 2.11.0", Command: "python bench_pytorch.py"},
		},
		Rows: []report.BenchRow{
			newRow(t, report.BenchRow{Name: "first-order", Title: "first-order step", Work: "C 16, 8 layers, batch 64", Passed: 64, Of: "images",
				Sides: []report.BenchSide{ours, side("pytorch", 10.96e9, 31.5, 32.5, 32)}}),
			newRow(t, report.BenchRow{Name: "input", Title: "input pipeline", Work: "5000 images, batches of 64", Passed: 5000, Of: "images",
				Sides: []report.BenchSide{side("darts", 81e6, 0.05), side("pytorch", 0.5e9, 1)}, Notes: []string{"1 round of 5"}}),
		},
	}
}

func TestBenchText(t *testing.T) {
	// Text has a line for each side, with comparisons, and the notes.
	want := `first-order step: C 16, 8 layers, batch 64
    darts  6.25 s  10.2 images/s  4.50 GB
  pytorch  32.0 s  2.00 images/s  11.0 GB  darts: 5.12 times as fast (5.00 to 5.25), 0.411 of the memory
`
	b := example(t)
	if diff := cmp.Diff(want, b.Rows[0].Text()); diff != "" {
		t.Error(diff)
	}
	if got := b.Rows[1].Text(); !strings.HasSuffix(got, "\n  note: 1 round of 5\n") || !strings.Contains(got, "100000 images/s") {
		t.Errorf("got %q", got)
	}
}

func TestBenchMarkdown(t *testing.T) {
	// The tables name the machine, the programs and the sizes.
	want := `Measured 2025-01-31 on AMD EPYC, 2 cores, 25.0 GB of memory, 2 threads, float32, with darts (darts 0.1.0, libtorch 2.11.0), pytorch (PyTorch 2.11.0). A fresh process for each program and row; after a warm-up they take turns at one step each. Factors are medians over the rounds, with the least and the greatest.

| seconds a step | rounds | darts | pytorch | darts is faster by |
| --- | ---: | ---: | ---: | ---: |
| first-order step: C 16, 8 layers, batch 64 | 3 | 6.25 (10.2 images/s) | 32.0 (2.00 images/s) | **5.12** (5.00 to 5.25) |
| input pipeline: 5000 images, batches of 64 | 1 | 0.0500 (100000 images/s) | 1.00 (5000 images/s) | **20.0** (20.0 to 20.0) |

| peak resident memory | darts | pytorch | darts takes of it |
| --- | ---: | ---: | ---: |
| first-order step: C 16, 8 layers, batch 64 | 4.50 GB | 11.0 GB | 0.411 |
| input pipeline: 5000 images, batches of 64 | 81.0 MB | 500 MB | 0.162 |

input pipeline: 1 round of 5.
`
	if diff := cmp.Diff(want, example(t).Markdown()); diff != "" {
		t.Error(diff)
	}
}

func TestBenchUnderLoad(t *testing.T) {
	// A factor is not bold when other processes computed meanwhile, and the conditions say what the processor reaches.
	b := example(t)
	b.Rows[0].Load = 0.3
	b.Machine.Peak = report.Peak{GFLOPS: 180.2, GBPerSecond: 9.5}
	text := b.Markdown()
	for _, want := range []string{"| 5.12, under load (5.00 to 5.25) |", "| **20.0** (20.0 to 20.0) |",
		"25.0 GB of memory (products reach 180 GFLOPS, sums of vectors 9.50 GB/s), 2 threads"} {
		if !strings.Contains(text, want) {
			t.Errorf("the tables lack %q:\n%s", want, text)
		}
	}
}

func TestBenchJSON(t *testing.T) {
	// The JSON reads back to the same values.
	b := example(t)
	text, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var again report.Bench
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, again); diff != "" {
		t.Error(diff)
	}
}

func TestBenchChart(t *testing.T) {
	// A picture of each kind parses and names the programs and rows.
	b := example(t)
	picture, err := b.Chart(".png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Error(err)
	}
	if picture, err = b.Chart(".svg"); err != nil {
		t.Fatal(err)
	}
	words := svgText(t, picture)
	for _, want := range []string{"darts", "pytorch", "first-order step", "5.1", "4.5", "11", "speed relative to pytorch"} {
		if !strings.Contains(words, "\n"+want+"\n") {
			t.Errorf("the picture lacks %q: %s", want, words)
		}
	}
	if strings.Contains(words, "input pipeline") {
		t.Errorf("the picture has the row without a network: %s", words)
	}
	b.Rows = b.Rows[1:]
	if picture, err = b.Chart(".svg"); err != nil {
		t.Fatal(err)
	}
	if words = svgText(t, picture); !strings.Contains(words, "\ninput pipeline\n") || !strings.Contains(words, "\n20\n") {
		t.Errorf("the picture lacks the only row: %s", words)
	}
}

// svgText returns the texts of a picture, each on a line.
func svgText(t *testing.T, picture []byte) string {
	t.Helper()
	words := "\n"
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			words += strings.TrimSpace(string(text)) + "\n"
		}
	}
}

func TestBenchChartErrors(t *testing.T) {
	// The error says what is wrong when there is nothing to compare, or no such kind of picture.
	alone := example(t)
	alone.Programs = alone.Programs[:1]
	for _, test := range []struct {
		name, extension, want string
		b                     report.Bench
	}{
		{"alone", ".png", "report: chart: there is no rival to compare with", alone},
		{"no row", ".png", "report: chart: there is no rival to compare with", report.Bench{Programs: example(t).Programs}},
		{"gif", ".gif", `report: chart: ".gif" is no kind of picture (there are: .png, .svg)`, example(t)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.b.Chart(test.extension); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
