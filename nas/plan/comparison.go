package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/nas/wholefile"
)

// Cost is the time and the memory of a search.
type Cost struct {
	Seconds   float64 `json:"seconds"`
	PeakBytes int64   `json:"peak_bytes"` // peak resident memory of its process
}

// ComparisonSettings are the settings of a comparison.
type ComparisonSettings struct {
	nas.Settings // of the trainings

	// Search starts or continues the search c in the folder dir, in its own process, so that its memory
	// can be measured. It returns the cost also with an error.
	Search func(ctx context.Context, dir string, c *config.Config) (Cost, error)

	Note func(format string, a ...any) // called with messages about waiting; may be nil

	owns func() error // as Run.Owns, for the comparison's folder
}

// costFile is the file in a strategy's folder with the cost of its search so far.
const costFile = "effort.json"

// Compare compares strategies in the folder dir. Each searches once, in dir/NAME/search, and the cell
// that it finds is trained with several seeds, in dir/NAME/train-SEED. Parts that are already complete
// are not repeated.
//
// A part that diverges is left out. At the end Compare then returns an error of type *FailedError. The
// part is not tried again unless its folder is deleted.
func Compare(ctx context.Context, dir string, t *config.NetworkComparison, s ComparisonSettings) (r report.Comparison, err error) {
	if err := checkComparison(t, s.Device); err != nil {
		return r, err
	}
	if err := wholefile.MakeFolder(dir); err != nil {
		return r, fmt.Errorf("nas: comparison: %w", err)
	}
	held, err := runfolder.Lock(dir)
	if err != nil {
		return r, err
	}
	defer held.Close()
	s.owns = func() error {
		same, err := runfolder.SameFile(filepath.Join(dir, runfolder.LockFile), held)
		if err == nil && !same {
			err = fmt.Errorf("nas: the folder %s, or its file %s, was removed: the comparison ends", dir, runfolder.LockFile)
		}
		return err
	}
	if err := wholefile.RemoveLeftovers(dir, "contest.md", "contest.csv", runfolder.DataFile, "search-"+runfolder.DataFile); err != nil {
		return r, fmt.Errorf("nas: comparison: %w", err)
	}
	r.Trainings = t.Compare.Compare.Seeds
	failed := &runfolder.FailedError{Of: len(t.Searches) * (1 + r.Trainings)}
	of, err := inspectData(ctx, dir, t.Searches[0], t.Train, s.Settings, nil)
	if err != nil {
		return r, err
	}
	s.Shared = of[config.Train]
	for i, c := range t.Searches {
		entry, err := s.entry(ctx, filepath.Join(dir, t.Names[i]), c, t, func(part string, d *runfolder.DivergedError) {
			failed.Add(t.Names[i]+"/"+part, d.Short())
		})
		if err != nil {
			return r, err
		}
		entry.Name = t.Names[i]
		r.Entries = append(r.Entries, entry)
	}
	return r, failed.Err()
}

// entry runs one strategy's search and trains the cell that it finds. It calls diverged for each part
// that diverges.
func (s ComparisonSettings) entry(
	ctx context.Context, dir string, c *config.Config, t *config.NetworkComparison, diverged func(part string, d *runfolder.DivergedError),
) (entry report.Entry, err error) {
	lost := func(part string, d *runfolder.DivergedError) {
		entry.Diverged = append(entry.Diverged, part)
		diverged(part, d)
	}
	const search = "search"
	folder := filepath.Join(dir, search)
	cost, how, err := s.search(ctx, dir, folder, c)
	if err != nil {
		return entry, err
	}
	entry.SearchSeconds, entry.PeakBytes = cost.Seconds, cost.PeakBytes
	if how != nil {
		lost(search, how)
		return entry, nil
	}
	var found runfolder.SearchResult
	if err := runfolder.ReadResult(folder, c, &found); err != nil {
		return entry, err
	}
	entry.Genotype = found.Genotype.String()
	for i := range int64(t.Compare.Compare.Seeds) {
		training := *t.Train
		training.Genotype, training.Seed = found.Genotype.String(), training.Seed+i
		if err := s.owns(); err != nil {
			return entry, err
		}
		name := fmt.Sprintf("train-%d", training.Seed)
		folder := filepath.Join(dir, name)
		result, err := runfolder.RunPart(folder, func() (runfolder.TrainResult, error) { return train.Run(ctx, folder, &training, s.Settings) })
		if err != nil {
			return entry, err
		}
		if result.Diverged != nil {
			lost(name, result.Diverged)
			continue
		}
		entry.Parameters = result.Parameters
		entry.TestErrors = append(entry.TestErrors, result.TestError)
	}
	return entry, nil
}

// search completes the search in folder. It returns the cost of all its parts, which a file in dir sums
// up, and how the search diverged, if it did.
func (s ComparisonSettings) search(ctx context.Context, dir, folder string, c *config.Config) (all Cost, diverged *runfolder.DivergedError, err error) {
	if err := s.owns(); err != nil {
		return all, nil, err
	}
	file := filepath.Join(dir, costFile)
	if err := wholefile.MakeFolder(dir); err != nil {
		return all, nil, fmt.Errorf("nas: comparison: %w", err)
	}
	if err := wholefile.RemoveLeftovers(dir, costFile, "search.yaml"); err != nil {
		return all, nil, fmt.Errorf("nas: comparison: %w", err)
	}
	if err := runfolder.ReadJSON(file, &all); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return all, nil, fmt.Errorf("%w; restore the file, or delete it: what the search has taken until now is then not counted", err)
	}
	if err := s.await(ctx, folder); err != nil {
		return all, nil, err
	}
	if runfolder.Finished(folder) {
		return all, nil, nil // entry reads what it found
	}
	if diverged, err = runfolder.ReadDivergence(folder); err != nil || diverged != nil {
		return all, diverged, err
	}
	if runfolder.HoldsRun(folder) && !runfolder.HoldsOnlyStart(folder) {
		if err := runfolder.CheckSameRun(folder, c); err != nil {
			return all, nil, err
		}
	}
	counted := s.count(file, all)
	part, err := s.Search(ctx, folder, c)
	counted()
	all = Cost{all.Seconds + part.Seconds, max(all.PeakBytes, part.PeakBytes)}
	if failed := runfolder.WriteJSON(file, all); failed != nil {
		return all, nil, cmp.Or(err, failed)
	}
	if err != nil && ctx.Err() == nil { // its process reports only that it failed
		if how, unread := runfolder.ReadDivergence(folder); how != nil && unread == nil {
			return all, how, nil
		}
	}
	return all, nil, err
}

// await waits while another process works on the search in folder: the process of a search outlives a
// killed comparison until it has saved.
func (s ComparisonSettings) await(ctx context.Context, folder string) error {
	const look = 100 * time.Millisecond
	for said := false; runfolder.Has(folder, runfolder.LockFile); {
		held, err := runfolder.Lock(folder)
		if err == nil {
			return held.Close()
		}
		if !errors.Is(err, runfolder.ErrBusy) {
			return err
		}
		if !said && s.Note != nil {
			s.Note("waiting for the process that still works on %s", names.Escape(folder))
		}
		said = true
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
	return nil
}

// count adds the running search to the cost all and writes the sum once a second, so that it is counted
// also if this process is killed. Call stop to end that.
func (s ComparisonSettings) count(file string, all Cost) (stop func()) {
	const every = time.Second
	start, ended := time.Now(), make(chan struct{})
	var counting sync.WaitGroup
	counting.Go(func() {
		beat := time.NewTicker(every)
		defer beat.Stop()
		for {
			select {
			case <-ended:
				return
			case <-beat.C:
				// An error here occurs again at the end, and is returned there.
				_ = runfolder.WriteJSON(file, Cost{all.Seconds + time.Since(start).Seconds(), all.PeakBytes})
			}
		}
	})
	return func() {
		close(ended)
		counting.Wait()
	}
}
