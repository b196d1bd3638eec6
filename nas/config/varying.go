package config

import "slices"

// Variation is a key in which configs differ.
type Variation struct {
	Path   string   // "w.lr"
	Values []string // of each config, as in a file but without quotes; empty where a config lacks the key
}

// placement lists the keys that say where data lies and how a machine reads it. They are no settings of a method.
var placement = []string{"data.root", "data.on_bad_file", "data.max_pixels", "data.check"}

// Varying lists the keys in which two configs of the same experiment differ that both have them, in the order of Keys,
// and the key experiment if there are several. An optional section that only some of them have is one more key, with
// the value "set". Varying leaves out the published figure and keys that depend on the machine.
func Varying(configs []*Config) (varying []Variation) {
	var order []string
	values := map[string]map[int]string{} // by path, then by config
	note := func(path string, i int, value string) {
		if values[path] == nil {
			order = append(order, path)
			values[path] = map[int]string{}
		}
		values[path][i] = value
	}
	keys := current.Load().keys
	for k := range keys {
		key := &keys[k]
		section := key.optional()
		if section == "expect" || slices.Contains(placement, key.path) {
			continue
		}
		for i, c := range configs {
			if !key.has(c) {
				continue
			}
			field, ok := key.field(c)
			if ok {
				note(key.path, i, format(field))
			}
			if section != "" {
				note(section, i, map[bool]string{true: "set"}[ok])
			}
		}
	}
	for _, path := range order {
		v, differs := Variation{path, make([]string, len(configs))}, false
		first := map[string]string{} // by experiment
		for i, c := range configs {
			value, ok := values[path][i]
			if !ok {
				continue
			}
			v.Values[i] = value
			experiment := c.Experiment
			if path == "experiment" {
				experiment = ""
			}
			if seen, ok := first[experiment]; ok {
				differs = differs || value != seen
			} else {
				first[experiment] = value
			}
		}
		if differs {
			varying = append(varying, v)
		}
	}
	return varying
}
