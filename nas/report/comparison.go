package report

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"godarts/nas/names"
)

// Comparison is the result of a comparison of strategies on networks.
type Comparison struct {
	Trainings int // of each found cell
	Entries   []Entry
}

// Entry is one strategy: the cost of its search, and the test errors of the found cell after
// trainings from scratch.
type Entry struct {
	Name          string
	Genotype      string
	Parameters    int       // of the trained network
	TestErrors    []float64 // percent, by training
	SearchSeconds float64
	PeakBytes     int64 // resident memory of the search

	Diverged []string // the parts that diverged: "search", or trainings such as "train-1"
}

// what describes the searches and trainings.
func (c Comparison) what() string {
	return fmt.Sprintf("One search by each strategy; the cell it found trained %d times. Test error: mean ± sample standard deviation (n-1) over the trainings.", c.Trainings)
}

var comparisonHeader = []string{"strategy", "test error", "parameters", "search time", "peak memory"}

// row returns the entrant's line of the table.
func (e Entry) row() []string {
	return []string{
		names.Print(e.Name), e.testError(), strconv.Itoa(e.Parameters),
		fmt.Sprintf("%.0f s", e.SearchSeconds), fmt.Sprintf("%.0f MB", float64(e.PeakBytes)/1e6),
	}
}

// testError returns the spread over the trainings, and names the ones that diverged.
func (e Entry) testError() string {
	spread := SpreadOf(e.TestErrors)
	text := percent(spread.Mean)
	if spread.Std != nil {
		text = fmt.Sprintf("%.2f ± %.2f %%", spread.Mean, *spread.Std)
	}
	lost := strings.Join(e.Diverged, ", ")
	switch {
	case spread.N == 0:
		return fmt.Sprintf("%s (%s)", diverged, lost)
	case lost != "":
		return fmt.Sprintf("%s of %d (%s: %s)", text, spread.N, diverged, lost)
	}
	return text
}

// Text returns the table for a terminal.
func (c Comparison) Text() string {
	var text strings.Builder
	fmt.Fprintln(&text, c.what())
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(comparisonHeader, "\t"))
	for _, e := range c.Entries {
		fmt.Fprintln(w, strings.Join(e.row(), "\t"))
	}
	w.Flush()
	return text.String()
}

// Markdown returns the table under a line that describes the searches, with the cells below.
func (c Comparison) Markdown() string {
	var text strings.Builder
	var rows [][]string
	for _, e := range c.Entries {
		rows = append(rows, e.row())
	}
	fmt.Fprintf(&text, "%s\n\n", c.what())
	table(&text, comparisonHeader, rows, func(row []string) []string { return row })
	for _, e := range c.Entries {
		if e.Genotype == "" { // its search diverged
			continue
		}
		fmt.Fprintf(&text, "\n%s:\n\n    %s\n", markdown(names.Print(e.Name)), names.Escape(e.Genotype))
	}
	return text.String()
}

// CSV returns a line of numbers for each training.
func (c Comparison) CSV() string {
	rows := [][]string{{"strategy", "training", "test error percent", "parameters", "search seconds", "peak bytes", "genotype"}}
	for _, e := range c.Entries {
		for i, x := range e.TestErrors {
			rows = append(rows, []string{names.Spreadsheet(e.Name), strconv.Itoa(i + 1), number(x), strconv.Itoa(e.Parameters),
				number(e.SearchSeconds), strconv.FormatInt(e.PeakBytes, 10), names.Spreadsheet(e.Genotype)})
		}
		for _, part := range e.Diverged {
			rows = append(rows, []string{names.Spreadsheet(e.Name), part, diverged, "", number(e.SearchSeconds), strconv.FormatInt(e.PeakBytes, 10), names.Spreadsheet(e.Genotype)})
		}
	}
	return encode(rows)
}
