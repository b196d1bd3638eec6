package config

import (
	"fmt"
	"slices"
	"strings"

	"godarts/nas/names"
)

// build makes a Config of the overlay: the defaults of the experiment, then every value that was written. It does
// not check what must hold between values. An error about a missing key names the file name.
func (l *layers) build(name string) (*Config, error) {
	file := origin{where: names.Print(name)}
	keys := current.Load().keys
	experiment := &keys[0]
	v, ok := l.values[experiment.path]
	if !ok {
		return nil, fmt.Errorf(`config: %v: no key "experiment", want experiment: %s`, file, listed(experiment.oneOf()))
	}
	probe := &Config{}
	if err := experiment.set(probe, v); err != nil {
		return nil, err
	}
	if err := l.probe(probe); err != nil {
		return nil, err
	}
	c := defaultsOf(probe.Experiment, probe.Data.Kind(), probe.Strategy.Name)
	c.Data.Name = probe.Data.Name
	if err := l.checkSections(c); err != nil {
		return nil, err
	}
	if _, ok := l.sections["evaluate"]; ok {
		c.Evaluate = &Evaluate{}
		if c.Experiment == Search {
			c.Evaluate = evaluateDefaults()
		}
	}
	if _, ok := l.sections["pruned"]; ok {
		c.Pruned = &Pruned{}
	}
	if _, ok := l.sections["quantise"]; ok {
		c.Quantise = quantiseDefaults()
	}
	rest, err := l.placeTraining(c.Experiment)
	if err != nil {
		return nil, err
	}
	if err := l.checkRepeat(c.Experiment, file); err != nil {
		return nil, err
	}
	if _, ok := l.sections["compare.expect"]; ok {
		c.Compare.Expect = &Published{}
	}
	if from, ok := l.sections["expect"]; ok {
		_, ok := l.values["expect.test_error"]
		want := "test_error, want the published test error in percent"
		if c.Data.IsText() {
			_, ok = l.values["expect.test_perplexity"]
			want = "test_perplexity, want the published test perplexity"
		}
		if !ok {
			return nil, fmt.Errorf("config: %v: expect: no %s", from, want)
		}
		c.Expect = &Expect{}
	}
	for i := range keys {
		k := &keys[i]
		v, ok := l.values[k.path]
		if !ok {
			continue
		}
		if wrong := k.wrong(c); wrong != "" {
			return nil, notApplicable(v.origin, k.path, wrong)
		}
		if !k.has(c) { // another strategy has a key of the same name
			continue
		}
		if err := k.set(c, v); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return c, l.checkRest(c, rest)
	}
	return c, nil
}

// probe sets the keys of c that the defaults depend on: the name of the data, and the strategy of a search. It
// takes the values that were written, or else their defaults.
func (l *layers) probe(c *Config) error {
	defaults := Defaults(c.Experiment)
	c.Data.Name, c.Strategy.Name = defaults.Data.Name, defaults.Strategy.Name
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		v, ok := l.values[k.path]
		if !ok || k.path != "data.name" && k.path != "strategy.name" || !k.has(c) {
			continue
		}
		if err := k.set(c, v); err != nil {
			return err
		}
	}
	return nil
}

// checkSections returns an error for a section, even an empty one, that does not apply to c.
func (l *layers) checkSections(c *Config) error {
	paths := make([]string, 0, len(l.sections))
	for p := range l.sections {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		if s := current.Load().sections[p]; !s.reaches(c) {
			return notApplicable(l.sections[p], p, s.wrong(c))
		}
	}
	return nil
}

func notApplicable(from origin, path, wrong string) error {
	return fmt.Errorf("config: %v: key %q does not apply to %s", from, path, wrong)
}

// checkRepeat returns an error for a repeat experiment without the files that it repeats.
func (l *layers) checkRepeat(experiment string, file origin) error {
	if experiment != Repeat {
		return nil
	}
	if from, ok := l.sections["repeat"]; ok {
		file = from
	}
	if _, ok := l.values["repeat.search"]; !ok {
		return fmt.Errorf("config: %v: repeat: no search, want the file of a search experiment", file)
	}
	if l.train == nil {
		return fmt.Errorf("config: %v: no %s, want the file of a train experiment, or keys of one", file, trainKey)
	}
	return nil
}

// placeTraining gives a search the keys of its training, and a protocol or a comparison the name of its file. rest are
// the keys that have no place in a search.
func (l *layers) placeTraining(experiment string) (rest map[string]located, err error) {
	switch {
	case l.train == nil:
		return nil, nil
	case experiment == Repeat || experiment == Comparison:
		if l.train.file != nil {
			l.values[trainKey] = *l.train.file
		}
		return nil, nil
	}
	if entry := l.train.file; entry != nil {
		return nil, fmt.Errorf("config: %v: %s: a file, want keys of a training: a resolved config stands alone", entry.origin, trainKey)
	}
	rest = map[string]located{}
	for path, v := range l.train.values {
		if target := trainKey + "." + path; isKey(target) {
			l.values[target] = v
		} else {
			rest[path] = v
		}
	}
	return rest, nil
}

// untaken are the keys of a training that a search may name a file with: they are its own, or change no result.
var untaken = []string{"experiment", "genotype", "seed", "data.root", "data.on_bad_file", "data.check", "data.max_pixels"}

// checkRest returns an error for a key of the training of the search c that has no place in it, and another value than
// the training will have.
func (l *layers) checkRest(c *Config, rest map[string]located) error {
	t := c.Training()
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		v, ok := rest[k.path]
		if !ok || slices.Contains(untaken, k.path) || strings.HasPrefix(k.path, "expect.") {
			continue
		}
		own, ok := k.field(t)
		if !ok || !k.has(t) {
			continue
		}
		other := *t
		if err := k.set(&other, v); err != nil {
			return err
		}
		if field, _ := k.field(&other); format(field) != format(own) {
			return fmt.Errorf("config: %v: %s.%s: %s, but the trainings of a search have %s, as its data.name, network.dtype and the like say", v.origin, trainKey, k.path, shown(field), shown(own))
		}
	}
	return nil
}
