package figure

import (
	"path/filepath"
	"slices"

	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// Outcome is a cell with what a set of runs says of it.
type Outcome struct {
	Label         string
	Genotype      string
	Tests         []float64 // test errors in percent, or test perplexities, of its trainings
	Parameters    int       // of the trained network
	MultiplyAdds  int64     // of it for one image; 0 unless a search of the set has found the cell and counts this network
	SearchSeconds float64   // of the search that found it; 0 if the set has no such search, or an old one
	Valid         *float64  // validation error in percent, or perplexity: of a short training, else of the supernet
	Bytes         float64   // of its ONNX file; 0 where it was not measured, as the next two
	ImageSeconds  float64   // of one image in this program
	ONNXSeconds   float64   // in ONNX Runtime
	Text          bool      // perplexities in place of errors

	brief bool // Valid is of a training
}

// Test returns the mean of the test errors or perplexities, and their deviation. There has to be at least one.
func (o Outcome) Test() report.Spread { return report.SpreadOf(o.Tests) }

// Outcomes gathers what runs say of the cells that they found and trained, in the order of the runs. Cells
// that were trained with different settings are different outcomes.
func Outcomes(runs []Labelled) []Outcome {
	var all []Outcome
	var groupOf []int // of the trainings of an outcome
	for number, group := range Groups(runs) {
		for _, r := range group.Runs {
			if r.Train == nil || r.Train.Diverged != nil {
				continue
			}
			test, ok := testOf(r.Train)
			if !ok {
				continue
			}
			key := r.Train.Genotype.String()
			i := 0
			for i < len(all) && (all[i].Genotype != key || groupOf[i] != number) {
				i++
			}
			if i == len(all) {
				groupOf = append(groupOf, number)
				all = append(all, Outcome{Label: group.Label, Genotype: key, Parameters: r.Train.Parameters, Text: r.Train.LanguageModelResult != nil})
			}
			all[i].Tests = append(all[i].Tests, test)
		}
	}
	for _, r := range runs {
		all = append(all, evaluations(r, runs)...)
	}
	for i := range all {
		all[i].addSearch(runs)
	}
	return all
}

// testOf returns the test error of a training in percent, or its test perplexity.
func testOf(t *runfolder.TrainResult) (float64, bool) {
	switch {
	case t.Tested != nil:
		return t.TestError, true
	case t.LanguageModelResult != nil && t.Test != nil:
		return t.Test.Perplexity, true
	}
	return 0, false
}

// evaluations returns what a search measured of the cell that it found and of random ones, unless the runs of these
// trainings are among all.
func evaluations(r Labelled, all []Labelled) (found []Outcome) {
	if r.Search == nil {
		return nil
	}
	for i := range r.Search.Evaluations {
		e := &r.Search.Evaluations[i]
		dir := filepath.Join(r.Dir, e.Name)
		if slices.ContainsFunc(all, func(o Labelled) bool { return filepath.Clean(o.Dir) == filepath.Clean(dir) }) {
			continue
		}
		if test, ok := testOf(e); ok && e.Diverged == nil {
			label := r.Label
			if e.Name != runfolder.FoundFolder {
				label += " " + e.Name
			}
			found = append(found, Outcome{Label: label, Genotype: e.Genotype.String(), Tests: []float64{test}, Parameters: e.Parameters})
		}
	}
	return found
}

// addSearch fills in the cost of the search that found the cell, the multiply-adds that it counts if its
// network is the one that was trained, and the validation figure.
func (o *Outcome) addSearch(runs []Labelled) {
	for _, r := range runs {
		switch {
		case r.Search != nil && r.Search.Genotype.String() == o.Genotype:
			if seconds := Seconds(r.Run); o.SearchSeconds == 0 {
				o.SearchSeconds = seconds
			}
			if counted := lastObserved(r); counted.Parameters == int64(o.Parameters) {
				o.MultiplyAdds = counted.MultiplyAdds
			}
			if valid := lastValid(r); valid != nil && !o.brief {
				o.Valid = valid
			}
		case r.Train != nil && r.Train.Validated != nil && r.Train.Genotype.String() == o.Genotype:
			o.Valid, o.brief = new(r.Train.ValidError), true
		case r.Train != nil && r.Train.LanguageModelResult != nil && r.Train.Valid != nil && r.Train.Genotype.String() == o.Genotype:
			o.Valid, o.brief = new(r.Train.Valid.Perplexity), true
		}
	}
}

// lastValid returns the validation error in percent, or perplexity, after the last epoch.
func lastValid(r Labelled) *float64 {
	if len(r.Epochs) == 0 {
		return nil
	}
	last := r.Epochs[len(r.Epochs)-1]
	if last.ValidAccuracy != nil {
		return new(100 * (1 - *last.ValidAccuracy))
	}
	return last.ValidPerplexity
}

// lastObserved returns what the search knew of its architecture after the last epoch.
func lastObserved(r Labelled) runfolder.Observation {
	if len(r.Epochs) == 0 || r.Epochs[len(r.Epochs)-1].Observation == nil {
		return runfolder.Observation{}
	}
	return *r.Epochs[len(r.Epochs)-1].Observation
}

// Seconds returns how long a run has worked, 0 if it has not recorded that.
func Seconds(r *record.Run) float64 {
	if len(r.Timings) == 0 {
		return 0
	}
	return r.Timings[len(r.Timings)-1].Seconds
}
