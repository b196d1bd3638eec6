package config

import (
	"fmt"
	"reflect"
)

// Diff lists the keys in which a and b differ, in the order of Keys, none if they are equal:
//
//	w.lr: 0.025 here, 0.05 in the checkpoint
//
// for the labels "here" and "in the checkpoint". Where the experiments differ, or the
// strategies, or one is of a text and the other of images, only that is listed, where one has an optional section and the other not, only the section.
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
		if inA && !reflect.DeepEqual(x.Interface(), y.Interface()) {
			lines = append(lines, line(k.path, shown(x), shown(y)))
		}
	}
	return lines
}
