package report

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"godarts/nas/names"
)

func (s MeanStd) String() string { return fmt.Sprintf("%.2f ± %.2f", s.Mean, s.Std) }

// what describes the searches and the measures.
func (c TableComparison) what() string {
	return fmt.Sprintf("%s: %d searches of each strategy, %d queries in each, which tell the %s. "+
		"Test accuracy in percent after %d epochs of the cell that was best by its queries, mean ± standard deviation over the searches.",
		c.Title, len(c.Entries[0].Runs), c.Queries, c.Asked, c.Epochs)
}

// rows returns the lines of the table, the names of the columns first. If no figure is
// published there is no column for them.
func (c TableComparison) rows() [][]string {
	header := append([]string{"strategy"}, c.Judged...)
	rows := [][]string{append(header, "as queried", "published")}
	width := len(rows[0])
	if !slices.ContainsFunc(c.Entries, func(s TableEntry) bool { return s.Published != nil }) {
		width--
	}
	for _, s := range c.Entries {
		row := []string{names.Print(s.Name)}
		for i := range c.Judged {
			row = append(row, s.Judged(i).String())
		}
		published := ""
		if s.Published != nil {
			published = s.Published.String()
		}
		rows = append(rows, append(row, s.Told().String(), published))
	}
	best := []string{"best of the table"}
	for _, b := range c.Best {
		best = append(best, fmt.Sprintf("%.2f", b))
	}
	rows = append(rows, append(best, "", ""))
	for i, row := range rows {
		rows[i] = row[:width]
	}
	return rows
}

// Text returns the table for a terminal.
func (c TableComparison) Text() string {
	var text strings.Builder
	fmt.Fprintln(&text, c.what())
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range c.rows() {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	w.Flush()
	return text.String()
}

// Markdown returns the table under a line that describes the searches.
func (c TableComparison) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", c.what())
	rows := c.rows()
	table(&text, rows[0], rows[1:], func(row []string) []string { return row })
	return text.String()
}

// CSV returns the table as numbers: for each strategy mean and standard deviation of every
// column, and the published ones if there are any.
func (c TableComparison) CSV() string {
	header := []string{"strategy", "searches", "queries"}
	for _, column := range append(append([]string(nil), c.Judged...), "as queried", "published") {
		header = append(header, column+" mean", column+" std")
	}
	rows := [][]string{header}
	for _, s := range c.Entries {
		row := []string{names.Spreadsheet(s.Name), strconv.Itoa(len(s.Runs)), strconv.Itoa(c.Queries)}
		for i := range c.Judged {
			row = append(row, s.Judged(i).numbers()...)
		}
		row = append(row, s.Told().numbers()...)
		if s.Published != nil {
			row = append(row, s.Published.numbers()...)
		} else {
			row = append(row, "", "")
		}
		rows = append(rows, row)
	}
	return encode(rows)
}

// CurvesCSV returns a line for each query: mean and standard deviation of each strategy's
// Trace.
func (c TableComparison) CurvesCSV() string {
	header := []string{"query"}
	for _, s := range c.Entries {
		header = append(header, names.Spreadsheet(s.Name+" mean"), names.Spreadsheet(s.Name+" std"))
	}
	rows := [][]string{header}
	for q := range c.Queries {
		row := []string{strconv.Itoa(q + 1)}
		for _, s := range c.Entries {
			row = append(row, s.After(q).numbers()...)
		}
		rows = append(rows, row)
	}
	return encode(rows)
}

// RunsCSV returns a line for each search: its seed, the found cell, its accuracies.
func (c TableComparison) RunsCSV() string {
	rows := [][]string{append([]string{"strategy", "seed", "cell", "as queried"}, c.Judged...)}
	for _, s := range c.Entries {
		for _, r := range s.Runs {
			row := []string{names.Spreadsheet(s.Name), strconv.FormatInt(r.Seed, 10), names.Spreadsheet(r.Cell), number(r.Told)}
			for _, x := range r.Judged {
				row = append(row, number(x))
			}
			rows = append(rows, row)
		}
	}
	return encode(rows)
}

func (s MeanStd) numbers() []string {
	return []string{fmt.Sprintf("%.4f", s.Mean), fmt.Sprintf("%.4f", s.Std)}
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func encode(rows [][]string) string {
	var text strings.Builder
	_ = csv.NewWriter(&text).WriteAll(rows) // a strings.Builder returns no error
	return text.String()
}
