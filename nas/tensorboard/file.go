package tensorboard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"godarts/nas/wholefile"
)

// Folder is the folder of event files in a run folder.
const Folder = "events"

// The name of our files. Readers take every file with tfevents in its name, in the order of names.
const (
	prefix = "events.out.tfevents."
	suffix = ".godarts"
)

// create writes the records to a new event file in dir, which it makes, and removes those that this
// package wrote there before. It returns the file's path.
func create(dir string, records []byte) (string, error) {
	if err := wholefile.MakeFolder(dir); err != nil {
		return "", fmt.Errorf("tensorboard: %w", err)
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("tensorboard: %w", err)
	}
	now := time.Now()
	path := filepath.Join(dir, fmt.Sprintf("%s%010d.%09d%s", prefix, now.Unix(), now.Nanosecond(), suffix))
	if err := os.WriteFile(path, records, 0o644); err != nil {
		return "", fmt.Errorf("tensorboard: %w", err)
	}
	for _, e := range before {
		if name := e.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) && name != filepath.Base(path) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return "", fmt.Errorf("tensorboard: %w", err)
			}
		}
	}
	return path, nil
}

// extend appends records to an event file.
func extend(path string, records []byte) error {
	if len(records) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(records); err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}
