package config

import (
	"fmt"
	"slices"

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
		c.Evaluate = evaluateDefaults()
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
	for _, name := range []string{Search, Train} {
		if _, ok := l.values["repeat."+name]; !ok {
			return fmt.Errorf("config: %v: repeat: no %s, want the file of a %s experiment", file, name, name)
		}
	}
	return nil
}
