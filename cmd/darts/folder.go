package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"godarts/nas/wholefile"
)

// reserve makes the default run folder of a config. Runs that start in the same second get different folders.
func reserve(file string, now time.Time) (string, error) {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".yaml"), ".yml")
	first := filepath.Join("runs", name+now.Format("-20060102-150405"))
	if err := wholefile.MakeFolder(filepath.Dir(first)); err != nil {
		return "", fmt.Errorf("run folder: %w", err)
	}
	dir := first
	for n := 2; ; n++ {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("run folder: %w", err)
		}
		dir = fmt.Sprintf("%s-%d", first, n)
	}
}
