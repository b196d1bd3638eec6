package figure

import (
	"cmp"
	"fmt"
	"path"
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
	at := map[string]int{}
	for _, r := range runs {
		key := settings(r.Config)
		i, ok := at[key]
		if !ok {
			i = len(groups)
			groups, at[key] = append(groups, Group{}), i
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	for i := range groups {
		groups[i].Label = groups[i].common()
	}
	return groups
}

// settings returns a text that is the same for configs which differ in the seed only, and in the place of the data.
func settings(c *config.Config) string {
	var b strings.Builder
	for _, s := range c.Settings() {
		if s.Path != "seed" && s.Path != "data.root" {
			fmt.Fprintf(&b, "%s: %q\n", s.Path, s.Value)
		}
	}
	return b.String()
}

// common returns what the labels of the runs begin with, without what only numbers them.
func (g Group) common() string {
	label := g.Runs[0].Label
	if !slices.ContainsFunc(g.Runs, func(r Labelled) bool { return r.Label != label }) {
		return label
	}
	for _, r := range g.Runs[1:] {
		n := 0
		for n < min(len(label), len(r.Label)) && label[n] == r.Label[n] {
			n++
		}
		label = strings.ToValidUTF8(label[:n], "")
	}
	if len(g.Runs) == 1 {
		return label
	}
	label = strings.TrimRight(label, "0123456789-_/. ")
	if parent, part := path.Split(label); parent != "" && part == "train" { // of a comparison: NAME/train-0
		label = strings.TrimRight(parent, "/")
	}
	return cmp.Or(label, g.Runs[0].Label)
}
