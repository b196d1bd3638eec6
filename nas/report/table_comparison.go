package report

// TableComparison is the results of many searches by each of several strategies.
type TableComparison struct {
	Title   string    // name of the table that was searched: "NAS-Bench-201"
	Asked   string    // the answer to a query: "CIFAR-10 validation accuracy after 12 epochs"
	Judged  []string  // the measures of found cells: "CIFAR-10"; Trace has the first of them
	Epochs  int       // of the trainings whose accuracies Judged has
	Best    []float64 // for each of Judged the highest accuracy of any cell
	Queries int       // in each search
	Entries []TableEntry
}

// TableEntry is a strategy and its searches.
type TableEntry struct {
	Name      string
	Published *MeanStd // published value of the first of Comparison.Judged, nil if there is none
	Runs      []TableSearch
}

// TableSearch is one search. Accuracies are in percent.
type TableSearch struct {
	Seed   int64
	Cell   string    // the found cell: the one with the best answer
	Told   float64   // that answer
	Judged []float64 // accuracies of Cell, one for each of Comparison.Judged
	Trace  []float64 // after each query the first of Judged for the cell with the best answer so far
}

// MeanStd is a mean and a standard deviation over seeds.
type MeanStd struct{ Mean, Std float64 }

// spread returns mean and sample standard deviation of n values, two or more.
func spread(n int, value func(i int) float64) MeanStd {
	numbers := make([]float64, n)
	for i := range n {
		numbers[i] = value(i)
	}
	s := SpreadOf(numbers)
	return MeanStd{s.Mean, *s.Std}
}

// Told returns the spread of the answers for the found cells.
func (c TableEntry) Told() MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Told })
}

// Judged returns the spread of the found cells' accuracies in one column of Comparison.Judged.
func (c TableEntry) Judged(column int) MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Judged[column] })
}

// After returns the spread of Trace after a query, from 0.
func (c TableEntry) After(query int) MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Trace[query] })
}
