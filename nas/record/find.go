package record

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"godarts/nas/runfolder"
)

// Folder is a folder that is a run, or that has runs in it: those of a protocol or comparison, or what a
// search trains.
type Folder struct {
	Name  string // below the root, with slashes; "." for the root
	Dir   string
	IsRun bool
	Parts []*Folder // the folders in it that are runs or have runs, by name
}

// mostDepth bounds how deep below the root runs are looked for.
const mostDepth = 12

// Find returns the runs in root: root itself, if it is a run, and those below. It looks into no hidden
// folder, follows no link, and passes over folders that it cannot read. It returns an error if root is no
// folder.
func Find(root string) (*Folder, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("nas: runs: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("nas: runs: %s is no folder", root)
	}
	top := &Folder{Name: ".", Dir: root}
	top.look(0)
	return top, nil
}

// look reads the folder and those in it, and reports whether there is a run.
func (f *Folder) look(depth int) bool {
	entries, err := os.ReadDir(f.Dir) // sorted by name
	if err != nil {
		return false
	}
	for _, e := range entries {
		switch {
		case e.Name() == runfolder.ConfigFile && e.Type().IsRegular():
			f.IsRun = !f.isSet(entries)
		case !e.IsDir() || strings.HasPrefix(e.Name(), ".") || depth == mostDepth:
		default:
			part := &Folder{Name: e.Name(), Dir: filepath.Join(f.Dir, e.Name())}
			if f.Name != "." {
				part.Name = f.Name + "/" + e.Name()
			}
			if part.look(depth + 1) {
				f.Parts = append(f.Parts, part)
			}
		}
	}
	return f.IsRun || len(f.Parts) > 0
}

// isSet reports whether the config among the files of f is of something else than a run, such as a
// comparison on a table: a run has written its other files or none.
func (f *Folder) isSet(entries []fs.DirEntry) bool {
	for _, e := range entries {
		switch e.Name() {
		case runfolder.RunFile, runfolder.CheckpointFile:
			return false
		}
	}
	c, err := runfolder.ReadConfig(f.Dir)
	return err != nil || !isRun(c)
}

// All returns f and the folders below that are runs, each before its parts.
func (f *Folder) All() (runs []*Folder) {
	if f.IsRun {
		runs = append(runs, f)
	}
	for _, part := range f.Parts {
		runs = append(runs, part.All()...)
	}
	return runs
}
