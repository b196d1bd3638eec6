package runtable

import (
	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

var (
	inPercent  = []unit{{"%", 0, 2}}
	perplexity = []unit{{"", 0, 2}}
	numbers    = []unit{{"M", 1e6, 2}, {"k", 1e3, 1}, {"", 0, 0}}
	times      = []unit{{"h", 3600, 2}, {"min", 60, 1}, {"s", 0, 1}}
)

// figures are what runs reached.
var figures = []figure{
	{report.Column{Title: "validation error", Raw: "validation error percent"}, true, inPercent, func(r *record.Run) []float64 {
		if r.Train != nil && r.Train.Validated != nil {
			return []float64{r.Train.ValidError}
		}
		return errorOf(r, func(m runfolder.Metric) *float64 { return m.ValidAccuracy })
	}},
	{report.Column{Title: "validation perplexity"}, true, perplexity, func(r *record.Run) []float64 {
		switch {
		case r.Search != nil && r.Search.Valid != nil:
			return []float64{r.Search.Valid.Perplexity}
		case r.Train != nil && r.Train.LanguageModelResult != nil:
			if r.Train.Valid == nil {
				return nil
			}
			return []float64{r.Train.Valid.Perplexity}
		}
		return latest(r, func(m runfolder.Metric) *float64 { return m.ValidPerplexity })
	}},
	{report.Column{Title: "test error", Raw: "test error percent"}, true, inPercent, func(r *record.Run) []float64 {
		if r.Config.Experiment == config.Search {
			return evaluated(r, true, testError)
		}
		if r.Train != nil {
			return testError(*r.Train)
		}
		return errorOf(r, func(m runfolder.Metric) *float64 { return m.TestAccuracy })
	}},
	{report.Column{Title: "random cells", Raw: "random cells test error percent"}, false, inPercent, func(r *record.Run) []float64 {
		return evaluated(r, false, testError)
	}},
	{report.Column{Title: "test perplexity"}, true, perplexity, func(r *record.Run) []float64 {
		if r.Train == nil || r.Train.LanguageModelResult == nil || r.Train.Test == nil {
			return nil
		}
		return []float64{r.Train.Test.Perplexity}
	}},
}

// costs are what the networks and the runs take.
var costs = []figure{
	{report.Column{Title: "parameters"}, false, numbers, func(r *record.Run) []float64 {
		if r.Train != nil {
			return []float64{float64(r.Train.Parameters)}
		}
		if found := evaluated(r, true, func(t runfolder.TrainResult) []float64 { return []float64{float64(t.Parameters)} }); found != nil {
			return found
		}
		return observed(r, func(o *runfolder.Observation) int64 { return o.Parameters })
	}},
	{report.Column{Title: "multiply-adds"}, false, numbers, func(r *record.Run) []float64 {
		return observed(r, func(o *runfolder.Observation) int64 { return o.MultiplyAdds })
	}},
	{report.Column{Title: "search time", Raw: "search seconds"}, false, times, func(r *record.Run) []float64 {
		return secondsOf(r, config.Search)
	}},
	{report.Column{Title: "training time", Raw: "training seconds"}, false, times, func(r *record.Run) []float64 {
		return secondsOf(r, config.Train)
	}},
}

// latest returns the newest value of the lines of epochs, none if no line has it.
func latest(r *record.Run, of func(m runfolder.Metric) *float64) []float64 {
	for i := len(r.Epochs) - 1; i >= 0; i-- {
		if x := of(r.Epochs[i]); x != nil {
			return []float64{*x}
		}
	}
	return nil
}

// errorOf returns the error in percent of the newest accuracy.
func errorOf(r *record.Run, of func(m runfolder.Metric) *float64) []float64 {
	accuracy := latest(r, of)
	if accuracy == nil {
		return nil
	}
	return []float64{100 * (1 - accuracy[0])}
}

// evaluated returns what of gives for the evaluation of the cell that the search found, or for those of random cells.
func evaluated(r *record.Run, found bool, of func(t runfolder.TrainResult) []float64) (all []float64) {
	if r.Search == nil {
		return nil
	}
	for _, e := range r.Search.Evaluations {
		if e.Diverged == nil && (e.Name == runfolder.FoundFolder) == found {
			all = append(all, of(e)...)
		}
	}
	return all
}

func testError(t runfolder.TrainResult) []float64 {
	if t.Tested == nil {
		return nil
	}
	return []float64{t.TestError}
}

// observed returns what of gives for the newest epoch that has it.
func observed(r *record.Run, of func(o *runfolder.Observation) int64) []float64 {
	return latest(r, func(m runfolder.Metric) *float64 {
		if m.Observation == nil || of(m.Observation) == 0 {
			return nil
		}
		return new(float64(of(m.Observation)))
	})
}

// secondsOf returns the seconds of work on a run of that experiment.
func secondsOf(r *record.Run, experiment string) []float64 {
	if r.Config.Experiment != experiment || len(r.Timings) == 0 {
		return nil
	}
	return []float64{r.Timings[len(r.Timings)-1].Seconds}
}
