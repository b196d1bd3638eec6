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
	return names.NearestBy(path, candidates, func(path, candidate string) int {
		return min(names.Distance(path, candidate), 1+names.Distance(last(path), last(candidate)))
	})
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// KeysNamed are the keys whose path is name or ends in it, "w.lr" and others for "lr", the
// shortest paths first.
func KeysNamed(name string) (paths []string) {
	for _, k := range keys {
		if k.path == name || last(k.path) == name {
			paths = append(paths, k.path)
		}
	}
	depth := func(path string) int { return strings.Count(path, ".") }
	slices.SortStableFunc(paths, func(a, b string) int { return depth(a) - depth(b) })
	return paths
}
