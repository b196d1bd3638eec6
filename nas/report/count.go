package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"godarts/nas/finite"
	"godarts/nas/names"
)

// Counts says which operators steps run.
type Counts struct {
	Started  time.Time  `json:"started"`
	Machine  Machine    `json:"machine"`
	Libtorch string     `json:"libtorch"`
	Device   string     `json:"device"`
	Form     string     `json:"form"`
	AsGPU    bool       `json:"as_gpu"`  // in the form that suits a GPU
	Threads  int        `json:"threads"` // of an operator on the CPU
	Seed     uint64     `json:"seed"`
	Rows     []CountRow `json:"rows"`
}

// CountRow is a step of one kind of work.
type CountRow struct {
	Name      string          `json:"name"`
	Title     string          `json:"title"`
	Work      string          `json:"work"`    // sizes
	Seconds   float64         `json:"seconds"` // of the step, counting included
	Operators []OperatorCount `json:"operators"`
	Sum       OperatorCount   `json:"sum"` // NewCountRow computes it
}

// OperatorCount is what the calls of one operator did.
type OperatorCount struct {
	Name    string  `json:"name,omitempty"`
	Calls   int     `json:"calls"` // each is a kernel where a GPU runs it
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"` // of the calling threads
}

func (c *OperatorCount) add(d OperatorCount) {
	c.Calls, c.Bytes, c.Seconds = c.Calls+d.Calls, c.Bytes+d.Bytes, c.Seconds+d.Seconds
}

// NewCountRow sums up the operators in row and sorts them, what takes the longest first.
func NewCountRow(row CountRow) CountRow {
	row.Operators, row.Sum = slices.Clone(row.Operators), OperatorCount{}
	slices.SortFunc(row.Operators, func(a, b OperatorCount) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Name, b.Name))
	})
	for _, c := range row.Operators {
		row.Sum.add(c)
	}
	return row
}

// mostOperators is how many operators a table shows one by one.
const mostOperators = 12

// shown returns the operators of a table of at most that many lines: the last stands for all others.
func (r CountRow) shown(most int) []OperatorCount {
	if len(r.Operators) <= most {
		return r.Operators
	}
	shown := slices.Clone(r.Operators[:most-1])
	rest := OperatorCount{Name: fmt.Sprintf("%d others", len(r.Operators)-most+1)}
	for _, c := range r.Operators[most-1:] {
		rest.add(c)
	}
	return append(shown, rest)
}

// countHeader names the columns of a table of operators.
func countHeader() []string {
	return []string{"operator", "calls", "bytes", "time", "share", "GB/s"}
}

// cells returns the line of an operator: share is that of the time of all operators.
func (r CountRow) cells(c OperatorCount) []string {
	share, rate := "", ""
	if r.Sum.Seconds > 0 {
		share = fmt.Sprintf("%.1f %%", 100*c.Seconds/r.Sum.Seconds)
	}
	if c.Seconds > 0 {
		rate = digits(float64(c.Bytes)/c.Seconds/1e9, 2)
	}
	size := "0"
	if c.Bytes > 0 {
		size = storage(int64(c.Bytes))
	}
	return []string{names.Print(c.Name), fmt.Sprint(c.Calls), size, seconds(c.Seconds) + " s", share, rate}
}

// Text returns the row for a terminal: a line for each operator, and their sum.
func (r CountRow) Text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s, %s s\n", r.Title, r.Work, seconds(r.Seconds))
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, strings.Join(countHeader(), "\t")+"\t")
	for _, c := range append(slices.Clone(r.Operators), r.all()) {
		fmt.Fprintln(w, strings.Join(r.cells(c), "\t")+"\t")
	}
	w.Flush()
	return text.String()
}

func (r CountRow) all() OperatorCount {
	all := r.Sum
	all.Name = "all"
	return all
}

// Markdown returns a table for each row under a line with the conditions. Operators that take little time share a line.
func (c Counts) Markdown() string {
	var text strings.Builder
	as := ""
	if c.AsGPU {
		as = " as for a GPU"
	}
	text.WriteString(markdown(fmt.Sprintf("Counted %s on %s of %s, %d cores, %d threads, libtorch %s, form %s%s.",
		c.Started.Format("2006-01-02"), c.Device, c.Machine.CPU, c.Machine.Cores, c.Threads, c.Libtorch, c.Form, as)) + "\n")
	for _, r := range c.Rows {
		fmt.Fprintf(&text, "\n%s, %s s:\n\n", markdown(r.Title+": "+r.Work), seconds(r.Seconds))
		table(&text, countHeader(), append(slices.Clone(r.shown(mostOperators)), r.all()), r.cells)
	}
	return text.String()
}

// JSON returns c as indented JSON.
func (c Counts) JSON() ([]byte, error) {
	text, err := finite.Indented(c)
	if err != nil {
		return nil, fmt.Errorf("report: counts: %w", err)
	}
	return text, nil
}
