package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// row describes a path: one key, or the keys that several strategies have under the same path.
type row struct {
	key         // of its strategy
	all  []key  // as the strategies are listed
	text string // their meanings
	own  string // the defaults of strategies that have others than that of key: "; of rsps 1000"
}

// rows returns a row for each path, in the order of the keys.
func (t *table) rows() (rows []row) {
	for _, k := range t.keys {
		if k.path == "data.name" {
			k.doc = dataDoc()
		}
		i := slices.IndexFunc(rows, func(r row) bool { return r.path == k.path })
		if i < 0 {
			rows = append(rows, row{key: k, all: []key{k}, text: k.doc})
			continue
		}
		r := &rows[i]
		r.all = append(r.all, k)
		if k.owner == k.strategy() {
			r.key = k
		}
	}
	for i := range rows {
		rows[i].merge()
	}
	return rows
}

// merge sets the meaning of a path, and the defaults of its strategies, from its keys.
func (r *row) merge() {
	same := true
	for _, k := range r.all {
		same = same && k.doc == r.doc
		if k.of != r.of {
			r.of = ""
		}
	}
	r.text = r.doc
	defaultOf := func(k key) string { return k.defaultIn(defaultsOf(Search, images, k.owner)) }
	for _, k := range r.all {
		if value := defaultOf(k); k.owner != "" && value != defaultOf(r.key) {
			r.own += "; of " + k.owner + " " + value
		}
	}
	if same {
		return
	}
	var parts []string
	for _, k := range r.all {
		parts = append(parts, "of "+k.owner+": "+k.doc)
	}
	r.text = strings.Join(parts, "; ")
}

// Keys returns one line for each key that a file or a "key=value" item can set: its path, its meaning, the
// experiment or the strategies that have it, and its default, on texts too where that differs. Paths are padded to
// one width.
func Keys() []string {
	rows := current.Load().rows()
	width := 0
	for _, r := range rows {
		width = max(width, len(r.path))
	}
	lines := make([]string, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%-*s  %s%s", width, r.path, r.text, r.bracket()))
	}
	return lines
}

// Key describes a key for a command line.
type Key struct {
	Path    string   // "w.lr_min"
	Text    string   // its meaning, where it applies and its defaults, as [Keys] has them
	Default string   // that of the experiment, as YAML reads it; empty where it has none
	Values  []string // all that it takes, where these are named ones
}

// KeysOf returns the keys that configs of an experiment have, with any strategy and data.
func KeysOf(experiment string) (found []Key) {
	defaults := Defaults(experiment)
	for _, r := range current.Load().rows() {
		if r.only != "" && !slices.Contains(strings.Fields(r.only), experiment) {
			continue
		}
		k := Key{Path: r.path, Text: r.text + r.bracket()}
		if r.path != "experiment" {
			k.Default = r.defaultIn(defaults)
		}
		switch r.kind.Kind() {
		case reflect.Bool:
			k.Values = []string{"true", "false"}
		case reflect.String, reflect.Int:
			k.Values = r.oneOf()
		}
		found = append(found, k)
	}
	return found
}

// experiments lists all experiments, each with the words for a default that no other one has.
var experiments = []struct{ name, in string }{{Search, "in a search"}, {Train, "in training"}, {Repeat, "in a repetition"}, {Comparison, "in a comparison"}, {Sweep, "in a sweep"}}

// bracket returns the end of a line of Keys.
func (r *row) bracket() string {
	if text, ok := strings.CutSuffix(r.defaults(), ")"); ok {
		return text + r.own + ")"
	}
	return ""
}

// defaults returns the end of a line of Keys, in brackets, for one key.
func (k *key) defaults() string {
	if k.path == "experiment" {
		return " (required)"
	}
	var parts []string
	ofImages, names := k.defaultsOf(images)
	ofTexts, textNames := k.defaultsOf(texts)
	if len(names) == 0 {
		names = textNames
	}
	switch {
	case k.takers != nil && slices.Contains(names, Train):
		parts = append(parts, "in training, and in a search by "+listed(k.takers))
	case k.takers != nil:
		parts = append(parts, "strategy "+listed(k.takers))
	case len(k.lackers) > 0:
		parts = append(parts, "not of strategy "+listed(k.lackers))
	case len(names) == 1:
		parts = append(parts, names[0]+" only")
	}
	if k.most > 0 {
		parts = append(parts, fmt.Sprintf("at most %d", k.most))
	}
	switch {
	case ofImages == "" && ofTexts == "": // a key of Expect, which has no defaults
		return ""
	case k.nonEmpty && ofImages == `""`:
		return fmt.Sprintf(" (%s; required)", strings.Join(parts, "; "))
	case ofImages == "" || k.of == texts:
		parts = append(parts, "of texts", "default "+ofTexts)
	default:
		parts = append(parts, "default "+ofImages)
		if ofTexts != "" && ofTexts != ofImages && k.path != "data.name" {
			parts = append(parts, "of texts "+ofTexts)
		}
	}
	return fmt.Sprintf(" (%s)", strings.Join(parts, "; "))
}

// defaultsOf returns the default of k on images or texts, and the experiments that have k. Where the experiments
// differ, the text has the default of each. It is empty where k has no default.
func (k *key) defaultsOf(kind string) (text string, names []string) {
	var values, each []string
	for _, e := range experiments {
		c := defaultsOf(e.name, kind, k.strategy())
		if c == nil || !k.has(c) {
			continue
		}
		value := k.defaultIn(c)
		names, values = append(names, e.name), append(values, value)
		each = append(each, value+" "+e.in)
	}
	if len(slices.Compact(slices.Clone(values))) == 1 {
		return values[0], names
	}
	return strings.Join(each, ", "), names
}

// strategy returns a strategy that has k, the default one if it has.
func (k *key) strategy() string {
	if len(k.takers) == 0 || slices.Contains(k.takers, DefaultStrategy) {
		return DefaultStrategy
	}
	return k.takers[0]
}

// defaultIn returns the value of k in the defaults c, an empty text where c lacks its section.
func (k *key) defaultIn(c *Config) string {
	switch {
	case c.Experiment == Search && !c.Data.IsText():
		c.Evaluate = evaluateDefaults()
	case c.Experiment == Repeat || c.Experiment == Comparison:
		c.Evaluate = &Evaluate{}
	case c.Experiment == Train && !c.Data.IsText():
		c.Pruned, c.Quantise = &Pruned{}, quantiseDefaults()
	}
	f, ok := k.field(c)
	if !ok {
		return ""
	}
	if s := format(f); s != "" {
		return s
	}
	return `""`
}
