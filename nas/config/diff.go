package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Diff lists the keys in which a and b differ, in the order of Keys, none if they are equal:
//
//	w.lr: 0.025 here, 0.05 in the checkpoint
//
// with the labels "here" and "in the checkpoint". It lists one line only where the experiments differ, or the
// strategies, or one is on a text and the other on images. Where only one has an optional section, it lists the
// section.
func Diff(a, b *Config, aLabel, bLabel string) []string {
	line := func(path, x, y string) string {
		return fmt.Sprintf("%s: %s %s, %s %s", path, x, aLabel, y, bLabel)
	}
	if a.Experiment != b.Experiment {
		return []string{line("experiment", a.Experiment, b.Experiment)}
	}
	if a.Data.IsText() != b.Data.IsText() {
		return []string{line("data.name", a.Data.Name, b.Data.Name)}
	}
	if a.Strategy.Name != b.Strategy.Name {
		return []string{line("strategy.name", a.Strategy.Name, b.Strategy.Name)}
	}
	presence := map[bool]string{true: "set", false: "not set"}
	var lines []string
	listed := map[string]bool{}
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		if !k.has(a) {
			continue
		}
		x, inA := k.field(a)
		y, inB := k.field(b)
		if inA != inB {
			section := k.optional()
			if !listed[section] {
				listed[section] = true
				lines = append(lines, line(section, presence[inA], presence[inB]))
			}
			continue
		}
		if inA && !reflect.DeepEqual(x.Interface(), y.Interface()) && (leafOf(x) == nil || format(x) != format(y)) { // leaves may know lines
			lines = append(lines, line(k.path, shown(x), shown(y)))
		}
	}
	return lines
}

// neutral lists the keys that change no published setting: the place of the data, the seed, and how the same
// result is computed. The genotype is what is measured.
var neutral = []string{"seed", "genotype", "data.root", "data.split_seed", "data.on_bad_file", "data.max_pixels", "data.check", "network.form", "network.dtype",
	"compare.seeds"}

// markChanged notes in c.Expect the keys that differ from the settings that the published figure was written with:
// those of the extended file, or of the file at path, whichever gave the figure last. A figure that an item of set
// gives holds for all settings. In a comparison on a table it removes the figures of the strategies whose settings
// differ.
func (l *layers) markChanged(c *Config, path string, set []string) error {
	section := "expect."
	if c.Compare.Expect != nil {
		section = "compare.expect."
	} else if c.Expect == nil {
		return nil
	}
	rank := 0
	for key, v := range l.values {
		if strings.HasPrefix(key, section) && key != "expect.changed" {
			rank = max(rank, v.rank)
		}
	}
	written := l.base
	if rank > 0 {
		var err error
		if written, err = overlay(path, set[:min(rank-1, len(set))]); err != nil {
			return err
		}
	}
	if written == nil { // a section without a figure
		return nil
	}
	was, err := written.checked(path)
	if err != nil { // a base that is not whole by itself has no settings of its own
		return nil
	}
	if c.Compare.Expect != nil {
		c.Compare.Expect.leaveOut(changed(was, c, ""))
		return nil
	}
	c.Expect.Changed = union(c.Expect.Changed, changed(was, c, ""))
	return nil
}

// leaveOut removes the figures that do not hold once the keys have changed.
func (p *Published) leaveOut(keys []string) {
	for _, key := range keys {
		switch {
		case strings.HasPrefix(key, "compare.evolution."):
			p.Evolution = [2]float64{}
		case strings.HasPrefix(key, "compare.reinforce."):
			p.Reinforce = [2]float64{}
		default:
			p.Random, p.Evolution, p.Reinforce = [2]float64{}, [2]float64{}, [2]float64{}
		}
	}
}

// changed lists the keys in which two configs differ and that are not neutral, each after prefix.
func changed(a, b *Config, prefix string) (paths []string) {
	x, y := *a, *b
	x.Expect, y.Expect = nil, nil
	x.Compare.Expect, y.Compare.Expect = nil, nil
	for _, line := range Diff(&x, &y, "", "") {
		path, _, _ := strings.Cut(line, ":")
		if !slices.Contains(neutral, path) {
			paths = append(paths, prefix+path)
		}
	}
	return paths
}

// union returns a, followed by what only b has.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
