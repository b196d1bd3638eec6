package config

import (
	"reflect"
	"slices"
	"strings"
)

// Key is what a command line tells of a key.
type Key struct {
	Path    string   // "w.lr_min"
	Text    string   // its meaning, where it applies and its defaults, as [Keys] has them
	Default string   // that of the experiment, as YAML reads it; empty where it has none
	Values  []string // all that it takes, where these are named ones
}

// KeysOf are the keys that configs of an experiment have, with any strategy and data.
func KeysOf(experiment string) (found []Key) {
	defaults := Defaults(experiment)
	for i := range keys {
		k := &keys[i]
		if k.only != "" && !slices.Contains(strings.Fields(k.only), experiment) {
			continue
		}
		key := Key{Path: k.path, Text: k.doc + k.defaults()}
		if k.path != "experiment" {
			key.Default = k.defaultIn(defaults)
		}
		switch k.valueType().Kind() {
		case reflect.Bool:
			key.Values = []string{"true", "false"}
		case reflect.String, reflect.Int:
			key.Values = k.oneOf
		}
		found = append(found, key)
	}
	return found
}
