package report

// Comparison is what strategies found in many searches each, and how good that is.
type Comparison struct {
	Title   string    // of what was searched: "NAS-Bench-201"
	Asked   string    // what a query tells: "CIFAR-10 validation accuracy after 12 epochs"
	Judged  []string  // what found cells are judged by, the column of Trace first: "CIFAR-10"
	Epochs  int       // of training behind the judged accuracies
	Best    []float64 // in each of Judged the most that any cell reaches
	Queries int       // in each search
	Sides   []Compared
}

// Compared is a strategy and its searches.
type Compared struct {
	Name      string
	Published *MeanStd // of the first of Comparison.Judged; nil if nothing was published
	Runs      []CompareRun
}

// CompareRun is one search. Accuracies are in percent.
type CompareRun struct {
	Seed   int64
	Cell   string    // the found one: of those asked for, the best by what was told
	Told   float64   // what was told of it
	Judged []float64 // of Cell, for each of Comparison.Judged
	Trace  []float64 // after each query the first of Judged of the cell that was best by then
}

// MeanStd is a mean and a standard deviation over seeds.
type MeanStd struct{ Mean, Std float64 }

// spread is that of n values, two or more; the deviation is that of a sample.
func spread(n int, value func(i int) float64) MeanStd {
	numbers := make([]float64, n)
	for i := range n {
		numbers[i] = value(i)
	}
	s := SpreadOf(numbers)
	return MeanStd{s.Mean, *s.Std}
}

// Told is the spread of what was told of the found cells.
func (c Compared) Told() MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Told })
}

// Judged is the spread of the found cells' accuracies in one column of Comparison.Judged.
func (c Compared) Judged(column int) MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Judged[column] })
}

// After is the spread of Trace after a query, 0 being the first.
func (c Compared) After(query int) MeanStd {
	return spread(len(c.Runs), func(i int) float64 { return c.Runs[i].Trace[query] })
}
