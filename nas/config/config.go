// Package config reads the typed description of one experiment from a YAML file.
//
// Keys mirror the structs below, in snake_case: Config.W.LRMin is "w.lr_min". Reading is
// strict: a key that is unknown, given twice, of the wrong type, out of range, or of no
// effect in the experiment is an error of one line that names the file, the line, the key
// and what is wanted. A key that is absent takes the value of the authors' published code
// (see [Defaults]).
//
// A file may begin with "extends: other.yaml" (one level, relative to the file) and then
// lists only what differs. Items "key.path=value" given to [Load] come last.
package config

// Values of Config.Experiment.
const (
	Search     = "search"
	Train      = "train"
	Repeat     = "repeat"
	Comparison = "compare"
)

// DefaultStrategy is the strategy of a search that names none.
const DefaultStrategy = "darts"

// Config is one experiment. Fields that do not apply to Experiment, or to what Data.Name is, are zero.
//
// The tags are the one source of the key table. key is the name in a file, doc its meaning. only lists
// the experiments that have the key, of says whether images or texts do, by which strategies of a
// search do: alpha those that search by alpha, scratch those that train each cell from scratch, named
// those whose [Method] takes the key by name. Without the tag all do. The fields of a section inherit
// all three.
//
// range (an interval), most, oneof and nonempty bound the values. most lies far above what is of use,
// where more would take the machine's memory, or minutes before a word. why tells what it means to be
// out of range, even why a number must be even.
type Config struct {
	Experiment string    `key:"experiment" oneof:"search train repeat compare" doc:"what to run: search, train, repeat (the paper's protocol of both), or compare (strategies on a table)"`
	Repeat     Protocol  `key:"repeat" only:"repeat"`
	Strategy   Strategy  `key:"strategy" only:"search"`
	Data       Data      `key:"data" only:"search train"`
	Network    Network   `key:"network" only:"search train"`
	W          W         `key:"w" only:"search train"`
	Space      Space     `key:"space" only:"search" of:"images"`
	Alpha      Alpha     `key:"alpha" only:"search" by:"alpha"`
	Compare    Compare   `key:"compare" only:"compare"`
	Epochs     int       `key:"epochs" only:"search train" range:"[0,)" doc:"passes over the training images, or over the text"`
	Nonmono    int       `key:"nonmono" only:"search train" by:"scratch" of:"texts" range:"[1,)" doc:"weights are averaged once an epoch validates worse than the best before the last N"`
	Seed       int64     `key:"seed" only:"search train compare" range:"[0,)" doc:"seed of every random stream of the run; of a comparison the first of its seeds"`
	Genotype   string    `key:"genotype" only:"train" nonempty:"true" doc:"cell to train: a name such as DARTS_V2, or a genotype's text"`
	Evaluate   *Evaluate `key:"evaluate" only:"search" of:"images"`
	Expect     *Expect   `key:"expect" only:"search train repeat"`
}

// Strategy says how cells are searched. A package that adds a strategy registers its keys by [Register].
type Strategy struct {
	Name string `key:"name" doc:"search strategy"` // a Method has the rest of the meaning

	// Keys are those of the strategy's own: a value, not a pointer, of the type that it registered;
	// nil if it has none.
	Keys any
}

// Trial returns the training by which the search c, of a strategy that trains each cell from scratch,
// tries a cell: as c says, measured on what Data.TrainPortion holds out.
func (c *Config) Trial(genotype string) *Config {
	t := *c
	t.Experiment, t.Genotype = Train, genotype
	t.Network.Nodes = 0
	t.Strategy, t.Space, t.Evaluate, t.Expect = Strategy{}, Space{}, nil, nil
	return &t
}

// Training returns the train experiment that c's Evaluate section describes, nil if c has
// none. Genotype is empty: the caller fills in the cell, found or random. Expect stays with
// the search.
func (c *Config) Training() *Config {
	e := c.Evaluate
	if e == nil {
		return nil
	}
	data := c.Data
	data.TrainPortion, data.Batch, data.Cutout = 1, e.Batch, e.Cutout
	return &Config{
		Experiment: Train,
		Data:       data,
		Network: Network{
			Channels:        e.Network.Channels,
			Layers:          e.Network.Layers,
			StemMultiplier:  e.Network.StemMultiplier,
			Dtype:           c.Network.Dtype,
			Stem:            SmallImages,
			Auxiliary:       e.Network.Auxiliary,
			AuxiliaryWeight: e.Network.AuxiliaryWeight,
			DropPath:        e.Network.DropPath,
			LabelSmoothing:  e.Network.LabelSmoothing,
		},
		W:      e.W,
		Epochs: e.Epochs,
		Seed:   c.Seed,
	}
}
