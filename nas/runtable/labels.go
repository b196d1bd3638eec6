package runtable

import (
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/record"
)

// mostLabelled is the most keys that a label has.
const mostLabelled = 3

// Labels returns names of runs for a legend: their strategies where those say all, or the values of the few keys in
// which they differ, such as "order 2, lr 0.05", without the seed unless it is all that differs; else their paths as
// Names gives them. They are escaped.
func Labels(runs []*record.Run) []string {
	var configs []*config.Config
	for _, r := range runs {
		configs = append(configs, r.Config)
	}
	labels, keys := make([]string, len(runs)), labelled(configs)
	for i := range runs {
		var parts []string
		for _, v := range keys {
			if value := v.Values[i]; value != "" {
				parts = append(parts, label(v.Path, names.Limit(value, 24), alone(v.Path, keys)))
			}
		}
		labels[i] = strings.Join(parts, ", ")
	}
	if slices.Contains(labels, "") {
		for i, name := range Names(runs) {
			labels[i] = names.Print(name)
		}
	}
	return labels
}

// labelled returns the keys that tell configs apart, none if those are too many.
func labelled(configs []*config.Config) []config.Variation {
	varying := config.Varying(configs)
	if len(varying) > 1 { // figures put seeds together
		varying = slices.DeleteFunc(varying, func(v config.Variation) bool { return v.Path == "seed" })
	}
	if i := slices.IndexFunc(varying, func(v config.Variation) bool { return v.Path == "strategy.name" }); i >= 0 && saysAll(configs, varying[i]) {
		return varying[i : i+1]
	}
	if len(varying) > mostLabelled {
		return nil
	}
	return varying
}

// saysAll reports whether configs with the same value of a key differ in nothing but the seed.
func saysAll(configs []*config.Config, key config.Variation) bool {
	same := map[string][]*config.Config{}
	for i, value := range key.Values {
		same[value] = append(same[value], configs[i])
	}
	for _, group := range same {
		if slices.ContainsFunc(config.Varying(group), func(v config.Variation) bool { return v.Path != "seed" }) {
			return false
		}
	}
	return true
}

// alone reports whether no other key ends in the same name: "w.lr" and "alpha.lr" do.
func alone(path string, keys []config.Variation) bool {
	return !slices.ContainsFunc(keys, func(k config.Variation) bool { return k.Path != path && last(k.Path) == last(path) })
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// label names a value of a key, by the last name of its path if that is enough; that of a strategy or data set says by
// itself what it is.
func label(path, value string, short bool) string {
	switch path {
	case "experiment", "strategy.name", "data.name", "genotype":
		return value
	}
	if !short {
		return path + " " + value
	}
	return strings.ReplaceAll(last(path), "_", " ") + " " + value
}
