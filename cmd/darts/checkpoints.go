package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/runfolder"
)

// parseEvery reads "100" as steps and "10m" as time.
func parseEvery(text string) (nas.CheckpointEvery, error) {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return nas.CheckpointEvery{Steps: n}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return nas.CheckpointEvery{Interval: d}, nil
	}
	return nas.CheckpointEvery{}, fmt.Errorf("--checkpoint-every %s: wanted steps (100) or a time (10m)", text)
}

// registerKeep registers the flag that says how many checkpoints a run keeps.
func registerKeep(f *pflag.FlagSet, keep *int) {
	f.IntVar(keep, "keep", 0, fmt.Sprintf("keep `N` checkpoints, 1 to %d; %d in a new run", runfolder.MaxKeep, runfolder.DefaultKeep))
}

// checkKeep is an error if that flag has a value that no run can have.
func checkKeep(f *pflag.FlagSet, keep int) error {
	if f.Changed("keep") && (keep < 1 || keep > runfolder.MaxKeep) {
		return fmt.Errorf("--keep %d: wanted 1 to %d checkpoints", keep, runfolder.MaxKeep)
	}
	return nil
}
