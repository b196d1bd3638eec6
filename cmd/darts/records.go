package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// recordsOf reads the runs that paths name: folders of runs, or folders with such folders below. Of a run it takes
// no runs inside. It prints as notes what cannot be read, and returns an error if nothing can.
func recordsOf(command string, paths []string, stderr io.Writer) (all []*record.Run, err error) {
	seen := map[string]bool{}
	for _, path := range paths {
		dirs, err := runsBelow(path)
		if err != nil {
			return nil, usagef("%s: %w", command, err)
		}
		if len(dirs) == 0 {
			return nil, usagef("%s: there is no run in %s", command, path)
		}
		for _, dir := range dirs {
			if seen[dir] {
				continue
			}
			seen[dir] = true
			r, err := record.Read(dir)
			if err != nil && dir == path {
				return nil, usagef("%s: %w", command, err)
			}
			if err != nil {
				printNotes(stderr, []string{oneLine(err)})
				continue
			}
			printNotes(stderr, r.Notes)
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, usagef("%s: none of the runs can be read", command)
	}
	return all, nil
}

// runsBelow returns the run folders at and below path, without those inside of other runs.
func runsBelow(path string) (dirs []string, err error) {
	if !isFolder(path) {
		return nil, fmt.Errorf("there is no folder %s", path)
	}
	top, err := record.Find(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	var add func(f *record.Folder)
	add = func(f *record.Folder) {
		if f.IsRun {
			dirs = append(dirs, f.Dir)
			return
		}
		for _, part := range f.Parts {
			add(part)
		}
	}
	add(top)
	return dirs, nil
}

// runsAndFolders completes folders of runs and folders above them.
func runsAndFolders(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return orFolders(folders(typed, runfolder.HoldsRun))
}

// defaultColumns is the width of text where no terminal has one.
const defaultColumns = 80

// columns returns how many columns the terminal w has.
func columns(w io.Writer) int {
	if width := terminalWidth(w); width != nil && width() > 0 {
		return width()
	}
	return defaultColumns
}

// checkOut returns an error if file is one that a run has written for itself.
func checkOut(command, file string) error {
	if slices.Contains(runfolder.Files, filepath.Base(file)) && runfolder.HoldsRun(filepath.Dir(file)) {
		return usagef("%s: %s belongs to the run: choose another -o", command, file)
	}
	return nil
}

// writeOut writes text to file and prints its name, or prints the text without one.
func writeOut(file, text string, stdout io.Writer) error {
	if file == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	if err := wholefile.Write(file, []byte(text)); err != nil {
		return usagef("write %s: %w", file, wholefile.Cause(err))
	}
	fmt.Fprintln(stdout, names.Escape(file))
	return nil
}
