package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"godarts/nas/names"
)

// Whole is a repeat experiment with the two experiments that it names.
type Whole struct {
	Repeat *Config // its Repeat.Search and Evaluate say where the two below came from
	Search *Config
	Train  *Config
}

// WholeFile is the file, of those of [Whole.Experiments], that LoadWhole reads.
const WholeFile = Repeat + extension

// LoadWhole reads the repeat experiment at path as Load does, and the experiments that it names. Items of set that
// begin with "search." change the search, and with "train." or "evaluate.train." the training: "search.epochs=25".
func LoadWhole(path string, set ...string) (*Whole, error) {
	path = find(path)
	w, err := loadWhole(path, set)
	if err != nil || w.Repeat.Expect == nil || w.Search == nil {
		return w, err
	}
	was, err := loadWhole(path, nil)
	if err != nil { // only the items make it a config
		return w, nil
	}
	e := w.Repeat.Expect
	e.Changed = union(union(e.Changed, changed(was.Search, w.Search, Search+".")), changed(was.Train, w.Train, Train+"."))
	return w, nil
}

// loadWhole does what LoadWhole does, but notes in Expect only what changes the protocol itself.
func loadWhole(path string, set []string) (*Whole, error) {
	items := itemsOf(set, Search)
	all, c, err := loadLayers(path, items[""])
	if err != nil {
		return nil, err
	}
	w := &Whole{Repeat: c}
	if c.Experiment != Repeat {
		return w, nil
	}
	if w.Search, err = c.load(path, "repeat.search", Search, c.Repeat.Search, items[Search]); err != nil {
		return nil, err
	}
	if w.Train, err = all.trained(path, w.Search); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("config: %s: %w", names.Print(path), err)
	}
	return w, nil
}

// check returns an error if the experiments do not make a protocol.
func (w *Whole) check() error {
	for i, c := range []*Config{w.Search, w.Train} {
		if c.Data.IsText() {
			return fmt.Errorf("%s: data.name %s is a text, the protocol is of images", []string{"repeat.search", trainKey}[i], c.Data.Name)
		}
	}
	if w.Search.Evaluate != nil {
		return fmt.Errorf("repeat.search: %s has a section evaluate, which the protocol does itself, want none (evaluate: null)", w.Repeat.Repeat.Search)
	}
	if portion := w.Train.Data.TrainPortion; portion != 1 {
		return fmt.Errorf("%s: data.train_portion %v, want 1: its trainings are measured on the test images", trainKey, portion)
	}
	if _, err := w.Brief().YAML(); err != nil {
		return fmt.Errorf("repeat.brief: %w", err)
	}
	return nil
}

// Brief returns the short training. Its genotype is that of Train: the caller fills in the cell.
func (w *Whole) Brief() *Config {
	c := *w.Train
	c.Expect = nil
	c.Epochs = w.Repeat.Repeat.Brief.Epochs
	c.Data.TrainPortion = w.Repeat.Repeat.Brief.TrainPortion
	return &c
}

// Experiments returns the configs of w as its folder has them: LoadWhole reads them back from WholeFile, in any
// working directory.
func (w *Whole) Experiments() []Experiment {
	c := *w.Repeat
	c.Repeat.Search = Search + extension
	c.nameTraining(Train + extension)
	return []Experiment{{Repeat, &c}, {Search, w.Search}, {Train, w.Train}}
}

// nameTraining makes file what c names in evaluate.train.
func (c *Config) nameTraining(file string) {
	e := Evaluate{}
	if c.Evaluate != nil {
		e = *c.Evaluate
	}
	e.File = file
	c.Evaluate = &e
}

// Experiment is one of the configs of a set of runs.
type Experiment struct {
	Name string // of its file, without the extension; the first of a set has that of its experiment
	*Config
}

// extension is the end of the names of config files.
const extension = ".yaml"

// File returns the name of the file of e in the folder of its set.
func (e Experiment) File() string { return e.Name + extension }

// Files returns the resolved configs of a set by file name.
func Files(set []Experiment) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range set {
		c, err := e.AbsolutePaths()
		if err != nil {
			return nil, err
		}
		text, err := c.YAML()
		if err != nil {
			return nil, err
		}
		files[e.File()] = bytes.Clone(text)
	}
	return files, nil
}

// DiffExperiments lists the keys in which two sets of the same names differ, as Diff does. Keys of those after the
// first begin with their name: "search.w.lr". The place of the data, the expected figures and the files of other
// configs do not count.
func DiffExperiments(a, b []Experiment, aLabel, bLabel string) (lines []string) {
	for i := range a {
		x, y := *a[i].Config, *b[i].Config
		for _, c := range []*Config{&x, &y} {
			c.Data.Root, c.Expect = "", nil
			c.Repeat.Search, c.Compare.Search, c.Base = "", "", ""
			if i == 0 && c.Evaluate != nil {
				c.nameTraining("")
			}
		}
		prefix := ""
		if i > 0 {
			prefix = a[i].Name + "."
		}
		for _, line := range Diff(&x, &y, aLabel, bLabel) {
			lines = append(lines, prefix+line)
		}
	}
	return lines
}

// NetworkComparison is a comparison on networks with the experiments that it names.
type NetworkComparison struct {
	Compare  *Config
	Searches []*Config // by strategy
	Names    []string  // of the strategies, distinct
	Train    *Config   // its genotype is for the caller to fill in
}

// LoadNetworkComparison reads the comparison at path as Load does, and the experiments that it names if it is a comparison
// on networks; otherwise Searches is empty. Items of set that begin with "search." change the searches, with
// "train." or "evaluate.train." the training.
func LoadNetworkComparison(path string, set ...string) (*NetworkComparison, error) {
	path = find(path)
	items := itemsOf(set, Search)
	all, c, err := loadLayers(path, items[""])
	if err != nil {
		return nil, err
	}
	t := &NetworkComparison{Compare: c}
	if c.Experiment != Comparison || !c.Compare.onNetworks() && c.Evaluate == nil {
		return t, nil
	}
	for i, of := range c.Compare.Strategies {
		search, err := c.load(path, "compare.search", Search, c.Compare.Search, slices.Concat(of, items[Search]))
		if err != nil {
			return nil, err
		}
		t.Searches, t.Names = append(t.Searches, search), append(t.Names, t.name(search, i))
	}
	if len(t.Searches) > 0 {
		if t.Train, err = all.trained(path, t.Searches[0]); err != nil {
			return nil, err
		}
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("config: %s: %w", names.Print(path), err)
	}
	return t, nil
}

// Experiments returns the configs of t as its folder has them.
func (t *NetworkComparison) Experiments() []Experiment {
	c := *t.Compare
	c.Compare.Search = ""
	c.nameTraining(Train + extension)
	all := []Experiment{{Comparison, &c}}
	for i, search := range t.Searches {
		all = append(all, Experiment{Search + "-" + t.Names[i], search})
	}
	return append(all, Experiment{Train, t.Train})
}

// onNetworks reports whether strategies are compared on networks, not on a table.
func (c Compare) onNetworks() bool { return len(c.Strategies) > 0 || c.Search != "" }

// name returns the label of a strategy, with its number in the list added where another one has that label
// already.
func (t *NetworkComparison) name(search *Config, i int) string {
	name := search.Strategy.Name
	if label := search.method().Label; label != nil {
		name = label(search)
	}
	if slices.Contains(t.Names, name) {
		name = fmt.Sprintf("%s-%d", name, i+1)
	}
	return name
}

// check returns an error if the experiments cannot be compared.
func (t *NetworkComparison) check() error {
	own, standard := t.Compare.Compare, compareDefaults().Compare
	switch {
	case len(own.Strategies) == 0:
		return fmt.Errorf("compare.strategies: none, want a list of lists of key=value items")
	case own.Table != standard.Table || own.Dataset != standard.Dataset || own.Queries != standard.Queries ||
		own.Evolution != standard.Evolution || own.Reinforce != standard.Reinforce || own.Expect != nil:
		return fmt.Errorf("compare: table, dataset, queries, evolution, reinforce and expect have no effect on networks, want none of them beside compare.strategies")
	case t.Compare.Seed != 0:
		return fmt.Errorf("seed: has no effect on networks, want those of compare.search and %s", trainKey)
	case t.Train == nil:
		return fmt.Errorf("%s: none, want the file of a train experiment, or keys of one", trainKey)
	case t.Train.Data.TrainPortion != 1 && !t.Train.Data.IsText():
		return fmt.Errorf("%s: data.train_portion %v, want 1: its trainings are measured on the test images", trainKey, t.Train.Data.TrainPortion)
	}
	for i, c := range append([]*Config{t.Train}, t.Searches...) {
		if c.Data.IsText() {
			return fmt.Errorf("compare: data.name %s is a text, strategies are compared on images", c.Data.Name)
		}
		if c.Evaluate != nil {
			return fmt.Errorf("compare.search: strategy %d has a section evaluate, which the comparison does itself, want none (evaluate: null)", i)
		}
	}
	return nil
}

// itemsOf sorts items by the config whose name and "." they begin with, and removes that; the others go to "".
func itemsOf(set []string, configs ...string) map[string][]string {
	items := map[string][]string{}
	for _, item := range set {
		to := ""
		for _, experiment := range configs {
			if rest, ok := strings.CutPrefix(item, experiment+"."); ok {
				to, item = experiment, rest
			}
		}
		items[to] = append(items[to], item)
	}
	return items
}

// load reads the experiment that a key of the config at path names.
func (c *Config) load(path, key, experiment, file string, set []string) (*Config, error) {
	if file == "" {
		return nil, fmt.Errorf("config: %s: %s: none, want the file of a %s experiment", names.Print(path), key, experiment)
	}
	file = beside(path, file)
	named, err := Load(file, set...)
	if err != nil {
		return nil, fmt.Errorf("config: %s: %s: %w", names.Print(path), key, err)
	}
	if named.Experiment != experiment {
		return nil, fmt.Errorf("config: %s: %s: %s is a %s experiment, want a %s experiment",
			names.Print(path), key, names.Print(file), named.Experiment, experiment)
	}
	return named, nil
}

// trained returns the training that l, the config at path, describes. Where it names no file, what it does not say of
// the data, and the element type, are those of the search.
func (l *layers) trained(path string, search *Config) (*Config, error) {
	t, err := l.training()
	if err != nil || t == nil {
		return nil, err
	}
	if t.base == nil {
		t.inherit(search)
	}
	c, err := t.checked(path)
	if err != nil || c.Expect == nil || t.base == nil {
		return c, err
	}
	if was, err := t.base.checked(path); err == nil { // else only the keys make it a config
		c.Expect.Changed = union(c.Expect.Changed, changed(was, c, ""))
	}
	return c, nil
}

// inherit gives t the data and the element type of the search c, where t names no data and no type.
func (t *layers) inherit(c *Config) {
	own := []string{"data.train_portion", "data.batch", "data.cutout"}
	_, named := t.values["data.name"]
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		field, ok := k.field(c)
		data := strings.HasPrefix(k.path, "data.") && !named && !slices.Contains(own, k.path)
		if _, given := t.values[k.path]; ok && k.has(c) && !given && (data || k.path == "network.dtype") {
			t.values[k.path] = located{node: encode(field)}
		}
	}
}
