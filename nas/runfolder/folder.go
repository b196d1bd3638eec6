// Package runfolder knows what the folder of a run holds: the names of its files, the config,
// what run.json says of program and machine, checkpoints, metrics, cells, results. It reads and
// writes each of them, whole or not at all, and takes the folder's lock. It runs nothing.
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

// Files are all files that a run writes in its folder.
var Files = append(slices.Clone(CheckpointNames),
	ConfigFile, RunFile, DataFile, MetricsFile, BestFile, GenotypeFile, WeightsFile, ResultFile, LockFile,
	"normal.svg", "reduce.svg", "recurrent.svg", divergedFile,
)

// HoldsRun tells whether dir is a run folder.
func HoldsRun(dir string) bool { return Has(dir, ConfigFile) || HoldsCheckpoint(dir) }

// HoldsOnlyStart tells whether dir holds the start of a run and nothing else: no checkpoint, no result. Such
// a run begins anew.
func HoldsOnlyStart(dir string) bool {
	return Has(dir, ConfigFile) && Has(dir, RunFile) && !HoldsCheckpoint(dir) && !Finished(dir)
}

// CheckFiles is an error if something else stands where the run in dir is to write a file.
func CheckFiles(dir string) error {
	for _, name := range Files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue // what is not there can be made
		}
		if what := wholefile.Kind(info.Mode()); what != "" {
			return fmt.Errorf("nas: run folder: %s is %s, wanted a file: move it away", filepath.Join(dir, name), what)
		}
	}
	return nil
}

// CheckEmpty is an error if a folder holds files that no start of a run has left.
func CheckEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	for _, e := range entries {
		// A kill may have left these of a start; hidden are the files that write had not renamed.
		if e.Name() != LockFile && e.Name() != RunFile && e.Name() != DataFile && e.Name()[0] != '.' {
			return fmt.Errorf("nas: run folder %s is not empty: choose another --out", dir)
		}
	}
	return nil
}

// Finished tells whether the run in dir has a result. Whether it is a sound one is known
// when it is read.
func Finished(dir string) bool { return Has(dir, ResultFile) }
