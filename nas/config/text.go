package config

import (
	"fmt"
	"slices"
)

// textStrategies are the strategies that search recurrent cells.
var textStrategies = []string{DARTS, Random, Evolve, Reinforced}

// checkText checks what must hold between keys of an experiment on a text.
func (l *layers) checkText(c *Config, file origin) error {
	refuse := func(key, other, format string, args ...any) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, other), key, fmt.Sprintf(format, args...))
	}
	d := c.Data
	switch {
	case d.Name == Text && d.Root == "":
		return refuse("data.root", "data.name", "text needs one, want the folder that holds train.txt, valid.txt and test.txt")
	case d.Name == SyntheticText && d.Root != "":
		return refuse("data.root", "data.name", "has no effect on %s, which is built in, want \"\"", d.Name)
	case d.SmallBatch > 0 && d.Batch%d.SmallBatch != 0:
		return refuse("data.small_batch", "data.batch", "%d does not divide data.batch %d", d.SmallBatch, d.Batch)
	case c.Experiment != Search:
		return nil
	case !slices.Contains(textStrategies, c.Strategy.Name):
		return refuse("strategy.name", "data.name", "%s searches cells of images alone, want %s for texts", c.Strategy.Name, listed(textStrategies))
	case c.Strategy.Name != DARTS:
		return nil
	case d.Columns() < 2:
		key := "data.batch"
		if d.SmallBatch > 0 {
			key = "data.small_batch"
		}
		return refuse(key, key, "the search normalises over columns, want 2 or more")
	case c.Strategy.Order == 1 && c.Alpha.Corrected:
		return refuse("alpha.corrected", "strategy.order", "has no effect with strategy.order 1, want strategy.order 2")
	}
	return l.checkHVP(c, file)
}

// Columns are the columns of a text in memory at a time.
func (d Data) Columns() int {
	if d.SmallBatch > 0 {
		return d.SmallBatch
	}
	return d.Batch
}
