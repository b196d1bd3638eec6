package page

import (
	"fmt"
	"math"
	"strings"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

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

// soFar returns what the last epoch says, or the best cell of a search that trains each.
func (v *runView) soFar() (tiles []Tile) {
	m, ok := v.newest()
	if !ok {
		return nil
	}
	note := fmt.Sprintf("after epoch %d", m.Epoch+1)
	shared := v.Config.Experiment == config.Search
	switch {
	case v.Config.FromScratch():
		note, shared = fmt.Sprintf("of cell %d, the best", m.Epoch+1), false
	case shared:
		note = "of the supernet, " + note
	}
	switch {
	case m.TestAccuracy != nil:
		tiles = append(tiles, Tile{fmt.Sprintf("%.2f", 100*(1-*m.TestAccuracy)), "%", "test error", note, false})
	case m.ValidAccuracy != nil:
		tiles = append(tiles, Tile{fmt.Sprintf("%.2f", 100*(1-*m.ValidAccuracy)), "%", "validation error", note, false})
	default:
		tiles = append(tiles, Tile{runfolder.Decimal(*m.ValidPerplexity), "", "validation perplexity", note, false})
	}
	if o := m.Observation; o != nil && o.Parameters > 0 && shared && len(v.searchEvaluations()) == 0 {
		tiles = append(tiles, Tile{count(o.Parameters), "", "parameters", "of the cell as it stands", false})
	}
	return tiles
}

// newest returns the last epoch with a measurement, or the best of a search that trains each cell.
func (v *runView) newest() (m runfolder.Metric, ok bool) {
	best := math.Inf(-1)
	for i := range v.Epochs {
		e := v.Epochs[i]
		score := 0.0
		switch {
		case e.TestAccuracy != nil:
		case e.ValidAccuracy != nil:
			score = *e.ValidAccuracy
		case e.ValidPerplexity != nil:
			score = -*e.ValidPerplexity
		default:
			continue
		}
		if !ok || !v.Config.FromScratch() || score > best {
			m, ok, best = e, true, score
		}
	}
	return m, ok
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
