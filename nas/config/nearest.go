package config

import (
	"fmt"
	"slices"
	"strings"

	"godarts/nas/names"
)

// unknown is the error for a key that does not exist.
func unknown(from origin, path string) error {
	return fmt.Errorf("config: %v: unknown key %s (nearest: %q)", from, names.Quote(path, 60), nearestKey(path))
}

// nearestKey is the key or section closest to path. A key of the same last name elsewhere
// ("w.betas" for "alpha.betas") is as near as one typing mistake.
func nearestKey(path string) string {
	var candidates []string
	for _, k := range keys {
		candidates = append(candidates, k.path)
	}
	for s := range sections {
		if s != "" {
			candidates = append(candidates, s)
		}
	}
	slices.Sort(candidates[len(keys):]) // map order is random, the answer must not be
	return nearest(path, candidates, func(path, candidate string) int {
		return min(distance(path, candidate), 1+distance(last(path), last(candidate)))
	})
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// nearest is the first candidate of least cost.
func nearest(text string, candidates []string, cost func(text, candidate string) int) string {
	text = text[:min(len(text), 64)] // no key is that long, and the cost is quadratic
	best, least := "", 0
	for _, c := range candidates {
		if d := cost(text, c); best == "" || d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
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
