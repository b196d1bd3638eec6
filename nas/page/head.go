package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// Fact is a line of a list: a name and its value.
type Fact struct{ Name, Value string }

// facts collects those that have a value.
type facts []Fact

func (f *facts) add(name, value string) {
	if value != "" {
		*f = append(*f, Fact{name, value})
	}
}

// What says in a line what runs on what.
func (v *runView) What() string {
	c := v.Config
	switch {
	case c.Experiment == config.Search && c.FromScratch():
		return fmt.Sprintf("Search by %s on %s, which trains each cell", names.Print(c.Strategy.Name), names.Print(c.Data.Name))
	case c.Experiment == config.Search:
		return fmt.Sprintf("Search by %s on %s", names.Print(c.Strategy.Name), names.Print(c.Data.Name))
	}
	return fmt.Sprintf("Training of %s on %s", shortCell(c.Genotype), names.Print(c.Data.Name))
}

// shortCell returns the name of a published cell, "a cell" for another one.
func shortCell(text string) string {
	if text == "" || strings.Contains(text, "(") || strings.Contains(text, "{") {
		return "a cell"
	}
	return names.Print(text)
}

// StateName is the state as text.
func (v *runView) StateName() string { return string(v.State) }

// Symbol marks the state without colour.
func (v *runView) Symbol() string { return v.State.Symbol() }

// Facts say how far the run is, and what it runs on.
func (v *runView) Facts() []Fact {
	var f facts
	c := v.Config
	unit := "epochs"
	of := c.RunEpochs()
	if c.FromScratch() {
		unit, of = "cells", c.Trials()
	}
	f.add(unit, fmt.Sprintf("%d of %d", len(v.Epochs), of))
	if seconds := figure.Seconds(v.Run); seconds > 0 {
		f.add("time", duration(seconds))
	}
	if v.Info != nil && !v.Info.Started.IsZero() {
		f.add("started", v.Info.Started.UTC().Format(timeForm))
	}
	if n := len(v.Timings); n > 0 {
		last := v.Timings[n-1]
		if v.State == record.Done {
			f.add("ended", moment(last.Time))
		} else {
			f.add("last line", moment(last.Time))
		}
	}
	if n := len(v.Timings); n > 0 {
		for i := n - 1; i >= 0; i-- {
			if t := v.Timings[i]; t.Step == 0 && t.ItemsPerSecond > 0 {
				f.add("speed", fmt.Sprintf("%.3g %s/s", t.ItemsPerSecond, map[bool]string{true: "tokens", false: "images"}[c.Data.IsText()]))
				break
			}
		}
		peak := int64(0)
		for _, t := range v.Timings {
			peak = max(peak, t.PeakRSSBytes)
		}
		f.add("peak memory", bytesOf(peak))
	}
	f.add("seed", fmt.Sprint(c.Seed))
	if v.Info != nil {
		f.add("device", names.Print(v.Info.Device))
		f.add("threads", fmt.Sprint(v.Info.Threads))
	}
	return f
}

const timeForm = "2006-01-02 15:04 UTC"

// moment returns a time of Unix seconds.
func moment(seconds float64) string {
	return time.Unix(int64(seconds), 0).UTC().Format(timeForm)
}

// duration returns seconds in the two largest units that they have.
func duration(seconds float64) string {
	s := int64(math.Round(seconds))
	switch {
	case s < 60:
		return fmt.Sprintf("%.1f s", seconds)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 2*86400:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d days %d h", s/86400, s%86400/3600)
}

// bytesOf returns a number of bytes, empty for 0.
func bytesOf(n int64) string {
	switch {
	case n == 0:
		return ""
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// Tile is a figure that a reader looks for first.
type Tile struct {
	Value, Unit, Name string
	Note              string // below; may be empty
	Main              bool
}

// Tiles are the results of the run beside the published figure.
func (v *runView) Tiles() (tiles []Tile) {
	switch {
	case v.Search != nil:
		tiles = v.searchTiles()
	case v.Train != nil && v.Train.Diverged == nil:
		tiles = trainTiles(v.Train)
	}
	if len(tiles) == 0 {
		tiles = v.soFar()
	}
	if e := v.Config.Expect; e != nil && (e.TestError > 0 || e.TestPerplexity > 0) {
		tiles = append(tiles, published(e, v.Config.Data.IsText()))
	}
	return tiles
}

func (v *runView) searchTiles() (tiles []Tile) {
	var others []float64
	for i := range v.Search.Evaluations {
		e := &v.Search.Evaluations[i]
		switch {
		case e.Name == runfolder.FoundFolder && e.Diverged == nil:
			tiles = trainTiles(e)
		case e.Tested != nil:
			others = append(others, e.TestError)
		}
	}
	if len(tiles) > 0 {
		tiles[0].Note = "of the cell found"
	}
	if len(others) > 0 {
		tiles = append(tiles, spreadTile(others, "test error", "of "+names.Count(len(others), "random cell")))
	}
	return append(tiles, v.soFar()...)
}

func spreadTile(numbers []float64, name, note string) Tile {
	s := report.SpreadOf(numbers)
	value := fmt.Sprintf("%.2f", s.Mean)
	if s.Std != nil {
		value += fmt.Sprintf(" ± %.2f", *s.Std)
	}
	return Tile{Value: value, Unit: "%", Name: name, Note: note}
}

func trainTiles(t *runfolder.TrainResult) (tiles []Tile) {
	switch {
	case t.Tested != nil:
		tiles = append(tiles, Tile{fmt.Sprintf("%.2f", t.TestError), "%", "test error", "", true})
		if t.TestTopFiveError != nil {
			tiles = append(tiles, Tile{fmt.Sprintf("%.2f", *t.TestTopFiveError), "%", "top-5 test error", "", false})
		}
	case t.Validated != nil:
		tiles = append(tiles, Tile{fmt.Sprintf("%.2f", t.ValidError), "%", "validation error", "", true})
	case t.LanguageModelResult != nil && t.Test != nil:
		tiles = append(tiles, Tile{runfolder.Decimal(t.Test.Perplexity), "", "test perplexity", "of the unigram model " + runfolder.Decimal(t.Test.Unigram), true})
		if t.Valid != nil {
			tiles = append(tiles, Tile{runfolder.Decimal(t.Valid.Perplexity), "", "validation perplexity", fmt.Sprintf("best epoch %d", t.BestEpoch), false})
		}
	}
	return append(tiles, Tile{count(int64(t.Parameters)), "", "parameters", "", false})
}

// soFar returns what the last epoch says.
func (v *runView) soFar() (tiles []Tile) {
	for i := len(v.Epochs) - 1; i >= 0; i-- {
		m := v.Epochs[i]
		note := fmt.Sprintf("after epoch %d", m.Epoch+1)
		if v.Config.FromScratch() {
			note = fmt.Sprintf("of cell %d", m.Epoch+1)
		}
		shared := v.Config.Experiment == config.Search && !v.Config.FromScratch()
		if shared {
			note = "of the supernet, " + note
		}
		switch {
		case m.TestAccuracy != nil:
			tiles = append(tiles, Tile{fmt.Sprintf("%.2f", 100*(1-*m.TestAccuracy)), "%", "test error", note, false})
		case m.ValidAccuracy != nil:
			tiles = append(tiles, Tile{fmt.Sprintf("%.2f", 100*(1-*m.ValidAccuracy)), "%", "validation error", note, false})
		case m.ValidPerplexity != nil:
			tiles = append(tiles, Tile{runfolder.Decimal(*m.ValidPerplexity), "", "validation perplexity", note, false})
		default:
			continue
		}
		if o := m.Observation; o != nil && o.Parameters > 0 && shared && len(v.searchEvaluations()) == 0 {
			tiles = append(tiles, Tile{count(o.Parameters), "", "parameters", "of the cell as it stands", false})
		}
		return tiles
	}
	return nil
}

func (v *runView) searchEvaluations() []runfolder.TrainResult {
	if v.Search == nil {
		return nil
	}
	return v.Search.Evaluations
}

// published returns the figure that the config gives.
func published(e *config.Expect, text bool) Tile {
	t := Tile{Value: fmt.Sprintf("%.2f", e.TestError), Unit: "%", Name: "published test error", Note: names.Print(e.Source)}
	if text {
		t = Tile{Value: fmt.Sprintf("%.2f", e.TestPerplexity), Name: "published test perplexity", Note: names.Print(e.Source)}
	} else if e.Std > 0 {
		t.Value += fmt.Sprintf(" ± %.2f", e.Std)
	}
	if len(e.Changed) > 0 {
		t.Note = strings.TrimPrefix(t.Note+"; ", "; ") + "with another " + names.Print(strings.Join(e.Changed, ", "))
	}
	return t
}

// count returns a number of weights in three digits.
func count(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}
