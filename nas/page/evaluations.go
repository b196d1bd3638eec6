package page

import (
	"fmt"
	"html/template"
	"path/filepath"

	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// Evaluations are the trainings that a search made of the cell that it found and of random ones.
type Evaluations struct {
	Rows   []EvaluationRow
	Curves []template.HTML
}

// EvaluationRow is a training in the table.
type EvaluationRow struct {
	Name, Test, Parameters, State, Genotype string
}

// mostEvaluations bounds the runs that a page reads beside its own.
const mostEvaluations = 24

// Evaluations returns the trainings of the search, nil if it has none. Those in progress are among them.
func (v *runView) Evaluations() *Evaluations {
	if v.Config.Evaluate == nil {
		return nil
	}
	folders := []string{runfolder.FoundFolder}
	for i := range min(v.Config.Evaluate.Random, mostEvaluations) {
		folders = append(folders, fmt.Sprintf("random-%d", i+1))
	}
	e := &Evaluations{}
	var runs []figure.Labelled
	for _, name := range folders {
		if r, err := record.Read(filepath.Join(v.Dir, name)); err == nil {
			runs = append(runs, figure.Labelled{Run: r, Label: name})
			e.Rows = append(e.Rows, evaluationRow(name, r))
		}
	}
	if len(runs) == 0 {
		return nil
	}
	e.Curves = inline(figure.Accuracies(runs), figure.Losses(runs))
	return e
}

func evaluationRow(name string, r *record.Run) EvaluationRow {
	row := EvaluationRow{Name: name, State: string(r.State), Genotype: names.Escape(r.Config.Genotype)}
	if r.Train != nil && r.Train.Diverged == nil {
		row.Parameters = count(int64(r.Train.Parameters))
		if r.Train.Tested != nil {
			row.Test = fmt.Sprintf("%.2f %%", r.Train.TestError)
		}
	} else if r.State != record.Done {
		row.State += fmt.Sprintf(", %d of %s", len(r.Epochs), names.Count(r.Config.RunEpochs(), "epoch"))
	}
	return row
}
