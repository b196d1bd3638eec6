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

// Files of a run folder.
const (
	ConfigFile     = "config.yaml"            // the resolved config
	RunFile        = "run.json"               // versions, device, threads
	MetricsFile    = "metrics.jsonl"          // one line for each report and epoch
	CheckpointFile = "checkpoint.safetensors" // where to go on; CheckpointNames has those before it
	GenotypeFile   = "genotype.json"          // the cell that was found or trained
	WeightsFile    = "weights.safetensors"    // of a trained network
	ResultFile     = "result.json"            // written last: the run is complete
	LockFile       = "lock"                   // held while a process works on the run
)

// Files are all files that a run writes in its folder.
var Files = append(slices.Clone(CheckpointNames),
	ConfigFile, RunFile, DataFile, MetricsFile, BestFile, GenotypeFile, WeightsFile, ResultFile, LockFile,
	"normal.svg", "reduce.svg", "recurrent.svg", divergedFile,
)

// HoldsRun tells whether dir is a run folder.
func HoldsRun(dir string) bool { return Has(dir, ConfigFile) || HoldsCheckpoint(dir) }

// Begun tells whether dir holds the start of a run and nothing else: no checkpoint, no result. Such
// a run begins anew.
func Begun(dir string) bool {
	return Has(dir, ConfigFile) && Has(dir, RunFile) && !HoldsCheckpoint(dir) && !Finished(dir)
}

// Has tells whether dir has a file of that name.
func Has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
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
