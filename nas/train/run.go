// Package train trains the network of a derived cell from scratch, on images or on a text, and measures
// trained networks on test data.
package train

import (
	"context"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/runfolder"
)

// measuredOn puts the measurement m in t, as of test or of held-out images.
func measuredOn(t *runfolder.TrainResult, r *nas.Run, m nas.Meter) {
	feed := r.Feed.(*images.Feed)
	percent := func(right float64) float64 { return 100 * (1 - right) }
	var topFive *float64
	if feed.TopFive() {
		e := percent(m.InFive / float64(max(m.Count, 1)))
		topFive = &e
	}
	if feed.HoldsOut {
		t.Validated = &runfolder.Validated{ValidError: percent(m.Accuracy()), ValidLoss: m.MeanLoss(), ValidTopFiveError: topFive}
	} else {
		t.Tested = &runfolder.Tested{TestError: percent(m.Accuracy()), TestLoss: m.MeanLoss(), TestTopFiveError: topFive}
	}
	t.Skipped = feed.LeftOut + len(feed.Left.Files)
}

// Run trains the cell that c names, in the new folder dir. If dir holds the training already, Run
// continues it from its checkpoint.
func Run(ctx context.Context, dir string, c *config.Config, s nas.Settings) (result runfolder.TrainResult, err error) {
	if runfolder.Finished(dir) {
		return result, runfolder.ReadResult(dir, c, &result)
	}
	g, err := runfolder.GenotypeOf(c)
	if err != nil {
		return result, err
	}
	if err := checkStart(dir, c.Pruned); err != nil {
		return result, err
	}
	r, leave, err := nas.Enter(ctx, dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	result.Genotype = g
	if err := runTraining(r, ctx, &result); err != nil {
		return result, runfolder.RecordDivergence(dir, err)
	}
	return result, r.Complete(result)
}

func runTraining(r *nas.Run, ctx context.Context, result *runfolder.TrainResult) error {
	if r.Config.Data.IsText() {
		return runTextTraining(r, ctx, result)
	}
	var t *Trainer
	return r.Do(func() (nas.State, error) {
		var err error
		if t, err = New(r, result.Genotype); err == nil {
			err = t.begin(r)
		}
		return t, err
	}, func() error {
		test, err := t.Train(ctx, r)
		if err != nil {
			return err
		}
		measuredOn(result, r, test)
		result.Parameters, _ = t.Net.ParameterCount()
		if err := r.WriteJSON(runfolder.GenotypeFile, result.Genotype); err != nil {
			return err
		}
		return model.WriteWeights(r, t.Net, describe(r, result.Genotype))
	})
}
