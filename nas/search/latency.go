package search

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/images"
	"godarts/nas/latency"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// Keys of tables of latencies.
const (
	alphaTable     = "alpha.cost.table"
	objectiveTable = "strategy.cost.table"
	boundTable     = "space.latency.table"
)

// keepLatencies writes the rows that a new run reads of tables of latencies to its folder. It returns an error if those
// of a run that goes on are no longer what it began with.
func keepLatencies(r *nas.Run) error {
	tables := r.Config.LatencyTables()
	if len(tables) == 0 {
		return nil
	}
	now, err := images.LatencyRows(r.Config, images.Of(r).Images().Train)
	if err != nil {
		return err
	}
	kept, err := keptLatencies(r)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if runfolder.HoldsCheckpoint(r.Dir) {
			r.Note("%s was missing and is written again: whether the times are those that the run began with is not known", runfolder.LatenciesFile)
		}
		return r.WriteJSON(runfolder.LatenciesFile, now)
	case err != nil:
		return fmt.Errorf("%w; restore it, or delete it to go on without knowing whether the times have changed", err)
	}
	for _, it := range tables {
		if changed := latency.Changed(kept[it.Key], now[it.Key]); changed != "" {
			return fmt.Errorf("nas: %s: %s has other times than when the run in %s began: %s; restore it, or start a new run in another folder",
				it.Key, names.Escape(it.File), names.Escape(r.Dir), changed)
		}
	}
	return nil
}

// keptLatencies reads what keepLatencies has written, by key.
func keptLatencies(r *nas.Run) (rows map[string][]latency.Row, err error) {
	err = runfolder.ReadJSON(filepath.Join(r.Dir, runfolder.LatenciesFile), &rows)
	return rows, err
}

// latenciesOf returns the times of the table that a key names.
func latenciesOf(r *nas.Run, key string) (images.Latencies, error) {
	rows, err := keptLatencies(r)
	return images.NewLatencies(r.Config, images.Of(r).Images().Train, rows[key]), err
}
