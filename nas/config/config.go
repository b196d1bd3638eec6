// Package config reads the typed description of one experiment from a YAML file.
//
// Keys mirror the structs below, in snake_case: Config.W.LRMin is "w.lr_min". Reading is strict. A key that is
// unknown, given twice, of the wrong type, out of range, or without effect in the experiment gives an error of one
// line, which names the file, the line, the key and what is wanted. A key that is absent takes the value of the
// authors' published code (see [Defaults]).
//
// A file may begin with "extends: other.yaml" (one level, relative to the file). It then lists only the keys that
// it changes. Items "key.path=value" given to [Load] come last.
//
// The keys of a strategy are not listed here: the package that has the strategy registers them ([Register]).
package config

import "godarts/cells/genotype"

// Values of Config.Experiment.
const (
	Search     = "search"
	Train      = "train"
	Repeat     = "repeat"
	Comparison = "compare"
	Sweep      = "sweep"
)

// DefaultStrategy is the strategy of a search that names none.
const DefaultStrategy = "darts"

// Config is one experiment. Fields that do not apply to Experiment, or to the kind of Data.Name, are zero.
//
// The tags are the one source of the key table. The tag key is the name in a file, doc the meaning. The tag only
// lists the experiments that have the key; without it all have. The tag of restricts a key to images or to texts.
// The tag by restricts it, in a search, to some strategies: alpha to those that search by alpha, scratch to those
// that train each cell from scratch, named to those whose [Method] names the key in Takes. The fields of a section
// inherit these three tags.
//
// The tags range (an interval), most, oneof and nonempty bound the values. The bound most lies far above every
// useful value: a larger one would exhaust the memory, or run for minutes before an error. The tag why says what a
// value out of range means, the tag even why a number must be even.
type Config struct {
	Experiment string   `key:"experiment" oneof:"search train repeat compare sweep" doc:"what to run: search, train, repeat (the paper's protocol of both), compare (strategies), or sweep (one experiment with other values of some keys)"`
	Repeat     Protocol `key:"repeat" only:"repeat"`
	Strategy   Strategy `key:"strategy" only:"search"`
	Data       Data     `key:"data" only:"search train"`
	Network    Network  `key:"network" only:"search train"`
	W          W        `key:"w" only:"search train"`
	Space      Space    `key:"space" only:"search" of:"images"`
	Alpha      Alpha    `key:"alpha" only:"search" by:"alpha"`
	Compare    Compare  `key:"compare" only:"compare"`
	SweepKeys
	Epochs   int       `key:"epochs" only:"search train" range:"[0,)" doc:"passes over the training images, or over the text"`
	Nonmono  int       `key:"nonmono" only:"search train" by:"scratch" of:"texts" range:"[1,)" doc:"weights are averaged once an epoch validates worse than the best before the last N"`
	Seed     int64     `key:"seed" only:"search train compare sweep" range:"[0,)" doc:"seed of every random stream of the run; of a comparison the first of its seeds; of a sweep that of its draws"`
	Genotype string    `key:"genotype" only:"train" nonempty:"true" doc:"cell to train: a name such as DARTS_V2, or a genotype's text"`
	Pruned   *Pruned   `key:"pruned" only:"train" of:"images"`
	Quantise *Quantise `key:"quantise" only:"train" of:"images"`
	Evaluate *Evaluate `key:"evaluate" only:"search repeat compare" of:"images"`
	Expect   *Expect   `key:"expect" only:"search train repeat"`
}

// Strategy says how cells are searched.
type Strategy struct {
	Name string `key:"name" doc:"search strategy"` // a Method has the rest of the meaning

	// Keys are the keys of the strategy itself: a value, not a pointer, of the type that [Register] was given; nil if
	// the strategy has none.
	Keys any
}

// Trial returns the training by which a search from scratch tries a cell: with the settings of the search c,
// measured on what Data.TrainPortion holds out.
func (c *Config) Trial(genotype string) *Config {
	t := *c
	t.Experiment, t.Genotype = Train, genotype
	t.Network.Nodes = 0
	t.Strategy, t.Space, t.Evaluate, t.Expect = Strategy{}, Space{}, nil, nil
	return &t
}

// Training returns the train experiment that the section evaluate describes, nil if c has no such section. The
// caller fills in Genotype: the cell that was found, or a random one. Expect stays with the search.
func (c *Config) Training() *Config {
	e := c.Evaluate
	if e == nil {
		return nil
	}
	t, data := e.Train, c.Data
	data.TrainPortion, data.Batch, data.Cutout = 1, t.Data.Batch, t.Data.Cutout
	return &Config{
		Experiment: Train,
		Data:       data,
		Network: Network{
			Channels:        t.Network.Channels,
			Layers:          t.Network.Layers,
			StemMultiplier:  t.Network.StemMultiplier,
			Dtype:           c.Network.Dtype,
			Stem:            SmallImages,
			Auxiliary:       t.Network.Auxiliary,
			AuxiliaryWeight: t.Network.AuxiliaryWeight,
			DropPath:        t.Network.DropPath,
			LabelSmoothing:  t.Network.LabelSmoothing,
		},
		W:      t.W,
		Epochs: t.Epochs,
		Seed:   c.Seed,
	}
}

// Widths returns the channels that pruning has left of the network of the training c; nil if it has not been pruned.
func (c *Config) Widths() *genotype.Widths {
	if c.Pruned == nil || c.Pruned.Widths == "" {
		return nil
	}
	w, err := genotype.ParseWidths(c.Pruned.Widths)
	if err != nil {
		return nil // rules have refused it
	}
	return &w
}

// FirstEpoch returns the epoch that a run of c begins with.
func (c *Config) FirstEpoch() int {
	if c.Pruned == nil {
		return 0
	}
	return c.Pruned.Epoch
}
