package figure

import (
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/record"
)

// Labelled is a run with its name in a legend.
type Labelled struct {
	*record.Run
	Label string
}

// Label names runs by what their folders' paths do not have in common.
func Label(runs []*record.Run) []Labelled {
	paths := make([][]string, len(runs))
	for i, r := range runs {
		paths[i] = strings.Split(filepath.ToSlash(filepath.Clean(r.Dir)), "/")
	}
	common := 0
	for len(runs) > 1 && common < len(paths[0])-1 {
		word := paths[0][common]
		if slices.ContainsFunc(paths, func(p []string) bool { return common >= len(p)-1 || p[common] != word }) {
			break
		}
		common++
	}
	labelled := make([]Labelled, len(runs))
	for i, r := range runs {
		own := paths[i][common:]
		if len(runs) == 1 {
			own = own[len(own)-1:]
		}
		labelled[i] = Labelled{r, names.Print(strings.Join(own, "/"))}
	}
	return labelled
}

// Group is a set of runs that differ in nothing but the seed.
type Group struct {
	Label string // of its first run, without the seed
	Runs  []Labelled
}

// Groups puts together what differs in the seed only, in the order of the runs.
func Groups(runs []Labelled) (groups []Group) {
	for _, r := range runs {
		i := slices.IndexFunc(groups, func(g Group) bool { return sameButSeed(g.Runs[0].Config, r.Config) })
		if i < 0 {
			groups, i = append(groups, Group{}), len(groups)
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	for i := range groups {
		groups[i].Label = groups[i].common()
	}
	return groups
}

func sameButSeed(a, b *config.Config) bool {
	x, y := *a, *b
	x.Seed, y.Seed, x.Data.Root, y.Data.Root, x.Expect, y.Expect = 0, 0, "", "", nil, nil
	return len(config.Diff(&x, &y, "", "")) == 0
}

// common returns what the labels of the runs begin with, without a number that they end in.
func (g Group) common() string {
	label := g.Runs[0].Label
	for _, r := range g.Runs[1:] {
		n := 0
		for n < min(len(label), len(r.Label)) && label[n] == r.Label[n] {
			n++
		}
		label = strings.ToValidUTF8(label[:n], "")
	}
	if len(g.Runs) > 1 {
		if trimmed := strings.TrimRight(label, "0123456789-_/. "); trimmed != "" {
			return trimmed
		}
		return g.Runs[0].Label
	}
	return label
}
