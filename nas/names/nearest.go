package names

import (
	"os"
	"path/filepath"

	"godarts/cells/spelling"
)

// Nearest returns the first of the candidates that are closest to text, empty if there are none.
func Nearest(text string, candidates []string) string {
	return NearestBy(text, candidates, spelling.Distance)
}

// NearestBy is Nearest with another cost than spelling.Distance.
func NearestBy(text string, candidates []string, cost func(text, candidate string) int) string {
	text = text[:min(len(text), 64)] // no name is that long, and the cost is quadratic
	best, least := "", 0
	for _, c := range candidates {
		if d := cost(text, c); best == "" || d < least {
			best, least = c, d
		}
	}
	return best
}

// NearestPath returns, for a path that does not exist, the existing one with the nearest name in
// the same folder. If that folder is missing too it looks at the first missing folder of the
// path. It returns an empty text if there is none.
func NearestPath(path string) string {
	path = filepath.Clean(path)
	for {
		parent := filepath.Dir(path)
		if _, err := os.Stat(parent); err == nil || parent == path {
			break
		}
		path = parent
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var there []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			there = append(there, e.Name())
		}
	}
	if len(there) == 0 {
		return ""
	}
	return filepath.Join(filepath.Dir(path), Nearest(filepath.Base(path), there))
}
