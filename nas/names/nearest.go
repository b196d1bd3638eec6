package names

import (
	"os"
	"path/filepath"
)

// Nearest is the first of the candidates that is closest to text; empty if there are none.
func Nearest(text string, candidates []string) string { return NearestBy(text, candidates, Distance) }

// NearestBy is Nearest by another cost than Distance.
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

// NearestPath is what lies where path would, or where the first of its folders that is missing
// would, under the nearest name; empty if there is nothing.
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

// Distance is the Levenshtein distance in bytes.
func Distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j] = distance(a[:i], b[:j])
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
