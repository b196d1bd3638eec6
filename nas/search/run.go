// Package search holds the strategies that search cells, one in each file, and runs searches.
package search

import (
	"context"
	"fmt"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/nas/train"
)

// Run runs the search c in the new folder dir. If dir holds the search already, Run continues it from
// its checkpoint.
func Run(ctx context.Context, dir string, c *config.Config, s nas.Settings) (result runfolder.SearchResult, err error) {
	if runfolder.Finished(dir) {
		if err := runfolder.ReadResult(dir, c, &result); err != nil {
			return result, err
		}
		return result, result.Failed()
	}
	r, leave, err := nas.Enter(ctx, dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	if err := keepLatencies(r); err != nil {
		return result, err
	}
	if err := runSearch(r, ctx, &result); err != nil {
		return result, runfolder.RecordDivergence(dir, err)
	}
	if c.Evaluate != nil {
		if result.Evaluations, err = evaluate(r, ctx, result.Genotype, r.Settings); err != nil {
			return result, err
		}
	}
	if err := r.Complete(result); err != nil {
		return result, err
	}
	return result, result.Failed()
}

func runSearch(r *nas.Run, ctx context.Context, result *runfolder.SearchResult) error {
	var strategy nas.Strategy
	err := r.Do(func() (nas.State, error) {
		var err error
		strategy, err = nas.NewStrategy(r)
		return strategy, err
	}, func() (err error) {
		result.Genotype, err = strategy.Search(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	if t, ok := strategy.(*trials); ok {
		result.Front = t.front
	}
	if feed, ok := r.Feed.(*texts.Feed); ok && r.At.Valid.Count > 0 {
		result.Valid = feed.WithUnigram(r.At.Valid, feed.Validation)
	}
	if err := r.WriteJSON(runfolder.GenotypeFile, result.Genotype); err != nil {
		return err
	}
	return r.Draw(result.Genotype)
}

// evaluate trains the found cell and random cells of the same space from scratch, each in a run folder
// inside the search's. If one diverges, the others go on.
func evaluate(r *nas.Run, ctx context.Context, found genotype.Genotype, s nas.Settings) ([]runfolder.TrainResult, error) {
	type candidate struct {
		name string
		cell genotype.Genotype
	}
	candidates := []candidate{{runfolder.FoundFolder, found}}
	for i := range r.Config.Evaluate.Random {
		cell := images.Space(r.Config).Sample(rng.Stream(r.Config.Seed, "random", i))
		candidates = append(candidates, candidate{fmt.Sprintf("random-%d", i+1), cell})
	}
	var results []runfolder.TrainResult
	for _, it := range candidates {
		if err := r.Owns(); err != nil {
			return nil, err
		}
		c := r.Config.Training()
		c.Genotype = it.cell.String()
		dir := filepath.Join(r.Dir, it.name)
		result, err := runfolder.RunPart(dir, func() (runfolder.TrainResult, error) { return train.Run(ctx, dir, c, s) })
		if err != nil {
			return nil, err
		}
		result.Name, result.Genotype = it.name, it.cell
		results = append(results, result)
	}
	return results, nil
}
