package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"godarts/nas/names"
)

// Repeat is the result of a protocol: the cells of its searches, the one with the least
// validation error, and the results of its trainings.
type Repeat struct {
	Searches   []Candidate `json:"searches"`
	Chosen     string      `json:"chosen"` // name of the search
	Genotype   string      `json:"genotype"`
	Parameters int         `json:"parameters"` // of the network, without the auxiliary head
	Trainings  []Training  `json:"trainings"`
	TestError  Spread      `json:"test_error"`
	Random     []Training  `json:"random,omitempty"` // of random cells, one training each
	Expect     *Published  `json:"expect,omitempty"`

	// The parts that diverged. For a search that may be the short training of its cell.
	FailedSearches  []Failure `json:"failed_searches,omitempty"`
	FailedTrainings []Failure `json:"failed_trainings,omitempty"`
}

// Failure is a part that diverged.
type Failure struct {
	Name string `json:"name"`
	Seed int64  `json:"seed"`
	What string `json:"what"`
}

// Candidate is the cell of one search, and the result of its short training on the held-out
// training images.
type Candidate struct {
	Name       string  `json:"name"`
	Seed       int64   `json:"seed"`
	Genotype   string  `json:"genotype"`
	Parameters int     `json:"parameters"`
	ValidError float64 `json:"valid_error"` // percent
	ValidLoss  float64 `json:"valid_loss"`
}

// Training is one training of the chosen cell.
type Training struct {
	Name      string  `json:"name"`
	Seed      int64   `json:"seed"`
	TestError float64 `json:"test_error"` // percent
	TestLoss  float64 `json:"test_loss"`
}

// Published is the result to compare with.
type Published struct {
	TestError float64 `json:"test_error"` // percent
	Std       float64 `json:"std"`        // percent; 0 if not published
	Source    string  `json:"source"`

	Title string `json:"title,omitempty"` // as config.Expect.Title gives it; "published" where it is empty
}

const published = "published"

// capital makes the first letter of text, which is one byte, a capital.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// Spread is the mean of N numbers and their sample standard deviation,
//
//	√(Σ(x − mean)² / (N − 1)),
//
// which is missing for a single number.
type Spread struct {
	Mean float64  `json:"mean"`
	Std  *float64 `json:"std,omitempty"`
	N    int      `json:"n"`
}

// SpreadOf returns the spread of numbers; there has to be at least one.
func SpreadOf(numbers []float64) Spread {
	s := Spread{N: len(numbers)}
	for _, x := range numbers {
		s.Mean += x / float64(s.N)
	}
	if s.N < 2 {
		return s
	}
	squares := 0.0
	for _, x := range numbers {
		squares += (x - s.Mean) * (x - s.Mean)
	}
	std := math.Sqrt(squares / float64(s.N-1))
	s.Std = &std
	return s
}

// Choose returns the index of the candidate with the least validation error. Of several it
// takes the one with the least loss, then the first.
func Choose(candidates []Candidate) int {
	best := 0
	for i, c := range candidates {
		b := candidates[best]
		if c.ValidError < b.ValidError || c.ValidError == b.ValidError && c.ValidLoss < b.ValidLoss {
			best = i
		}
	}
	return best
}

// Text returns r for a terminal.
//
//	    search  seed  validation error    loss  parameters
//	  search-2     2            6.25 %  0.2315        7986  chosen
//	  search-3     3            9.38 %  0.3011        8230
//
//	  training  seed  test error    loss
//	   train-0     0      3.61 %  0.1196
//	   train-1     1      3.33 %  0.1042
//
//	test error 3.47 ± 0.20 % (mean and sample standard deviation, n-1, of 2 trainings)
//	published: 2.76 ± 0.09 % (arXiv 1806.09055 table 1)
func (r Repeat) Text() string {
	var text strings.Builder
	lines := func(header []string, rows [][]string) {
		w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
		for i, row := range append([][]string{header}, rows...) {
			mark := ""
			if i > 0 && row[0] == r.Chosen {
				mark = "  chosen"
			}
			fmt.Fprintf(w, "%s\t%s\n", strings.Join(row, "\t"), mark)
		}
		w.Flush()
		text.WriteString("\n")
	}
	lines(candidateHeader, r.candidates())
	lines(trainingHeader, r.trainings())
	text.WriteString(r.conclusion() + "\n")
	if r.Expect != nil {
		fmt.Fprintf(&text, "%s: %s\n", names.Print(cmp.Or(r.Expect.Title, published)), r.Expect)
	}
	return text.String()
}

// Markdown returns r as a document.
func (r Repeat) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n", capital(r.conclusion()))
	if r.Expect != nil {
		fmt.Fprintf(&text, "%s: %s.\n\n", markdown(capital(names.Print(cmp.Or(r.Expect.Title, published)))), markdown(r.Expect.String()))
	}
	fmt.Fprintf(&text, "Chosen is the cell of %s: of all cells found, after a short training, it had the least error on training images held out from that. "+
		"No test image had a part in it.\n\n    %s\n\n", r.Chosen, r.Genotype)
	table(&text, candidateHeader, r.candidates(), func(row []string) []string { return row })
	text.WriteString("\n")
	table(&text, trainingHeader, r.trainings(), func(row []string) []string { return row })
	return text.String()
}

// diverged takes the place of the error of a part that diverged.
const diverged = "diverged"

var (
	candidateHeader = []string{"search", "seed", "validation error", "loss", "parameters"}
	trainingHeader  = []string{"training", "seed", "test error", "loss"}
)

func (r Repeat) candidates() (rows [][]string) {
	for _, c := range r.Searches {
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Seed), percent(c.ValidError), fmt.Sprintf("%.4f", c.ValidLoss), fmt.Sprint(c.Parameters)})
	}
	for _, f := range r.FailedSearches {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Seed), diverged, "", ""})
	}
	return rows
}

func (r Repeat) trainings() (rows [][]string) {
	for _, t := range append(slices.Clone(r.Trainings), r.Random...) {
		rows = append(rows, []string{t.Name, fmt.Sprint(t.Seed), percent(t.TestError), fmt.Sprintf("%.4f", t.TestLoss)})
	}
	for _, f := range r.FailedTrainings {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Seed), diverged, ""})
	}
	return rows
}

func (r Repeat) conclusion() string {
	if r.TestError.Std == nil {
		return fmt.Sprintf("test error %s of one training", percent(r.TestError.Mean))
	}
	return fmt.Sprintf("test error %.2f ± %.2f %% (mean and sample standard deviation, n-1, of %d trainings)", r.TestError.Mean, *r.TestError.Std, r.TestError.N)
}

func (p *Published) String() string {
	text := percent(p.TestError)
	if p.Std > 0 {
		text = fmt.Sprintf("%.2f ± %.2f %%", p.TestError, p.Std)
	}
	if p.Source == "" {
		return text
	}
	return fmt.Sprintf("%s (%s)", text, names.Print(p.Source))
}

func percent(x float64) string { return fmt.Sprintf("%.2f %%", x) }
