package report

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"godarts/nas/names"
)

// Text returns the row for a terminal: a line for each side, and the notes.
//
//	first-order step: C 16, 8 layers, batch 64
//	    darts  6.25 s  10.2 images/s  4.50 GB
//	  pytorch  32.0 s  2.00 images/s  11.0 GB  darts: 5.12 times as fast (5.00 to 5.25), 0.411 of the memory
func (r BenchRow) Text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", r.Title, r.Work)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, s := range r.Sides {
		fmt.Fprintf(w, "%s\t%s s\t%s %s/s\t%s\t", names.Print(s.Name), seconds(s.Seconds), rate(s.PerSecond), r.Of, storage(s.PeakBytes))
		if i > 0 {
			fmt.Fprintf(w, "  %s: %s times as fast (%s to %s), %s of the memory", names.Print(r.Sides[0].Name),
				ratio(s.Ratio.Median), ratio(s.Ratio.Min), ratio(s.Ratio.Max), ratio(s.MemoryRatio))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	for _, note := range r.Notes {
		fmt.Fprintf(&text, "  note: %s\n", names.Escape(note))
	}
	return text.String()
}

// Markdown returns two tables, times and memory, under a line with the conditions.
func (b Bench) Markdown() string {
	var text strings.Builder
	text.WriteString(markdown(b.conditions()) + "\n\n")
	ours := b.Programs[0].Name

	header := []string{"seconds a step", "rounds", ours}
	for _, p := range b.Programs[1:] {
		header = append(header, p.Name, ours+" is faster by")
	}
	table(&text, header, b.Rows, func(r BenchRow) []string {
		line := []string{r.label(), fmt.Sprint(len(r.Sides[0].StepSeconds))}
		for _, s := range r.Sides {
			line = append(line, fmt.Sprintf("%s (%s %s/s)", seconds(s.Seconds), rate(s.PerSecond), r.Of))
			if s.Ratio != nil {
				factor := "**" + ratio(s.Ratio.Median) + "**"
				if r.Load > UnderLoad {
					factor = ratio(s.Ratio.Median) + ", under load"
				}
				line = append(line, fmt.Sprintf("%s (%s to %s)", factor, ratio(s.Ratio.Min), ratio(s.Ratio.Max)))
			}
		}
		return line
	})

	header = []string{"peak resident memory", ours}
	for _, p := range b.Programs[1:] {
		header = append(header, p.Name, ours+" takes of it")
	}
	text.WriteString("\n")
	table(&text, header, b.Rows, func(r BenchRow) []string {
		line := []string{r.label()}
		for _, s := range r.Sides {
			line = append(line, storage(s.PeakBytes))
			if s.Ratio != nil {
				line = append(line, ratio(s.MemoryRatio))
			}
		}
		return line
	})
	for _, r := range b.Rows {
		for _, note := range r.Notes {
			fmt.Fprintf(&text, "\n%s: %s.\n", markdown(r.Title), markdown(note))
		}
	}
	return text.String()
}

// conditions names the machine, the programs and the method of measuring.
func (b Bench) conditions() string {
	var programs []string
	for _, p := range b.Programs {
		programs = append(programs, fmt.Sprintf("%s (%s)", names.Print(p.Name), names.Print(p.Version)))
	}
	where := fmt.Sprintf("%s, %d cores, %s of memory", b.Machine.CPU, b.Machine.Cores, storage(b.Machine.Memory))
	if b.Machine.Peak != (Peak{}) {
		where += fmt.Sprintf(" (%s)", b.Machine.Peak)
	}
	if b.Device != "cpu" {
		where = b.Device + " in " + where
	}
	how := "Median of the rounds."
	if len(b.Programs) > 1 {
		how = "A fresh process for each program and row; after a warm-up they take turns at one step each. " +
			"Factors are medians over the rounds, with the least and the greatest."
	}
	return fmt.Sprintf("Measured %s on %s, %d threads, float32, with %s. %s",
		b.Started.Format("2006-01-02"), where, b.Threads, strings.Join(programs, ", "), how)
}

func (r BenchRow) label() string { return r.Title + ": " + r.Work }

// table writes a Markdown table of numbers after a column of names.
func table[Row any](text *strings.Builder, header []string, rows []Row, cells func(Row) []string) {
	write := func(line []string) {
		for _, cell := range line {
			fmt.Fprintf(text, "| %s ", markdown(cell))
		}
		text.WriteString("|\n")
	}
	write(header)
	rules := make([]string, len(header))
	for i := range rules {
		rules[i] = "---:"
	}
	rules[0] = "---"
	write(rules)
	for _, r := range rows {
		write(cells(r))
	}
}
