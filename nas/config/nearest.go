package config

import (
	"slices"
	"strings"

	"godarts/nas/names"
	"godarts/spelling"
)

// nearestKey is the key or section closest to path. A key of the same last name elsewhere
// ("w.betas" for "alpha.betas") is as near as one typing mistake.
func nearestKey(path string) string {
	var candidates []string
	t := current.Load()
	for _, k := range t.keys {
		candidates = append(candidates, k.path)
	}
	for s := range t.sections {
		if s != "" {
			candidates = append(candidates, s)
		}
	}
	slices.Sort(candidates[len(t.keys):]) // map order is random, the answer must not be
	return names.NearestBy(path, candidates, func(path, candidate string) int {
		return min(spelling.Distance(path, candidate), 1+spelling.Distance(last(path), last(candidate)))
	})
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// KeysNamed are the keys whose path is name or ends in it, "w.lr" and others for "lr", the
// shortest paths first.
func KeysNamed(name string) (paths []string) {
	for _, k := range current.Load().keys {
		if (k.path == name || last(k.path) == name) && !slices.Contains(paths, k.path) {
			paths = append(paths, k.path)
		}
	}
	depth := func(path string) int { return strings.Count(path, ".") }
	slices.SortStableFunc(paths, func(a, b string) int { return depth(a) - depth(b) })
	return paths
}
