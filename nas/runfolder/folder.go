// Package runfolder reads and writes the files of a run folder: the config, the program and machine
// (RunInfo), checkpoints, metrics, cells and results. It replaces files atomically and locks the
// folder. It runs no experiment.
package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"godarts/nas/wholefile"
)

// Files are the names of all files that a run writes.
var Files = append(slices.Clone(CheckpointNames),
	ConfigFile, RunFile, DataFile, MetricsFile, TimingsFile, LogFile, BestFile, GenotypeFile, WeightsFile, StartFile, ResultFile, LatenciesFile, LockFile,
	"normal.svg", "reduce.svg", "recurrent.svg", DivergedFile,
)

// Unequal are the files that say when, where and how fast a run went. Equal runs have the same bytes in all
// others, also where one of them was interrupted.
var Unequal = []string{LockFile, RunFile, TimingsFile, LogFile}

// HoldsRun reports whether dir is a run folder.
func HoldsRun(dir string) bool { return Has(dir, ConfigFile) || HoldsCheckpoint(dir) }

// HoldsOnlyStart reports whether dir holds the first files of a run, and neither a checkpoint nor a
// result. Such a run begins again.
func HoldsOnlyStart(dir string) bool {
	return Has(dir, ConfigFile) && Has(dir, RunFile) && !HoldsCheckpoint(dir) && !Finished(dir)
}

// CheckFiles returns an error if dir has something other than a file under the name of one that a run
// writes.
func CheckFiles(dir string) error {
	for _, name := range Files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue // the run can create it
		}
		if what := wholefile.Kind(info.Mode()); what != "" {
			return fmt.Errorf("nas: run folder: %s is %s, wanted a file: move it away", filepath.Join(dir, name), what)
		}
	}
	return nil
}

// CheckEmpty returns an error if dir holds files other than those that the start of a run can leave.
func CheckEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	for _, e := range entries {
		// A kill at the start of a run may leave these, and pruning writes StartFile before; hidden files are those that were not renamed
		// yet.
		if e.Name() != LockFile && e.Name() != RunFile && e.Name() != DataFile && e.Name() != StartFile && e.Name()[0] != '.' {
			return fmt.Errorf("nas: run folder %s is not empty: choose another --out", dir)
		}
	}
	return nil
}

// Finished reports whether the run in dir has a result, which may be damaged.
func Finished(dir string) bool { return Has(dir, ResultFile) }
