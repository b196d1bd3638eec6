package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// key is one leaf of Config, as its tags describe it.
type key struct {
	path     string // "w.lr_min"
	doc      string
	only     string // experiments, with spaces between; empty for all
	index    []int  // of the field in Config, for reflect
	interval *interval
	oneOf    []string
	nonEmpty bool
	even     string // why an odd value is wrong; empty if it is not
	why      string // what a value outside interval means
}

// section is an inner node of the key tree.
type section struct {
	only     string
	optional bool // a pointer in Config: absent unless the file has it
}

var keys, sections = table()

// table walks Config's tags once.
func table() ([]key, map[string]section) {
	var leaves []key
	inner := map[string]section{"": {}}
	var walk func(t reflect.Type, prefix, only string, index []int)
	walk = func(t reflect.Type, prefix, only string, index []int) {
		for f := range t.Fields() {
			path := prefix + f.Tag.Get("key")
			only := only
			if o := f.Tag.Get("only"); o != "" {
				only = o
			}
			index := append(append([]int(nil), index...), f.Index...)
			ft := f.Type
			optional := ft.Kind() == reflect.Pointer
			if optional {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct {
				inner[path] = section{only: only, optional: optional}
				walk(ft, path+".", only, index)
				continue
			}
			leaves = append(leaves, key{
				path:     path,
				doc:      f.Tag.Get("doc"),
				only:     only,
				index:    index,
				interval: parseInterval(f.Tag.Get("range")),
				oneOf:    strings.Fields(f.Tag.Get("oneof")),
				nonEmpty: f.Tag.Get("nonempty") != "",
				even:     f.Tag.Get("even"),
				why:      f.Tag.Get("why"),
			})
		}
	}
	walk(reflect.TypeFor[Config](), "", "", nil)
	return leaves, inner
}

// applies says whether something marked only belongs in the experiment.
func applies(only, experiment string) bool {
	return only == "" || slices.Contains(strings.Fields(only), experiment)
}

// appliesTo says whether the section at path, or a key below it, belongs in the experiment.
func (s section) appliesTo(path, experiment string) bool {
	return applies(s.only, experiment) || slices.ContainsFunc(keys, func(k key) bool {
		return strings.HasPrefix(k.path, path+".") && applies(k.only, experiment)
	})
}

// field returns k's field in c, or false where its optional section is absent.
func (k *key) field(c *Config) (reflect.Value, bool) {
	v, err := reflect.ValueOf(c).Elem().FieldByIndexErr(k.index)
	return v, err == nil
}

// optional is the path of the optional section that k is in, the outermost of them; empty
// if there is none.
func (k *key) optional() string {
	for i, r := range k.path {
		if r == '.' && sections[k.path[:i]].optional {
			return k.path[:i]
		}
	}
	return ""
}

// Keys returns one line for each key that a file or a "key=value" item can set: its path,
// what it means, the experiment it is restricted to if any, and its default. Paths are
// padded to one width.
func Keys() []string {
	width := 0
	for _, k := range keys {
		width = max(width, len(k.path))
	}
	lines := make([]string, 0, len(keys))
	for _, k := range keys {
		lines = append(lines, fmt.Sprintf("%-*s  %s%s", width, k.path, k.doc, k.defaults()))
	}
	return lines
}

// experiments are all there are, each with how Keys calls a default that it alone has.
var experiments = []struct{ name, in string }{{Search, "in a search"}, {Train, "in training"}, {Repeat, "in a repetition"}, {Comparison, "in a comparison"}}

// defaults is the bracketed end of a line of Keys.
func (k *key) defaults() string {
	if k.path == "experiment" {
		return " (required)"
	}
	var names, values, each []string // of the experiments that k applies to
	for _, e := range experiments {
		if !applies(k.only, e.name) {
			continue
		}
		value := k.defaultIn(e.name)
		names, values = append(names, e.name), append(values, value)
		each = append(each, value+" "+e.in)
	}
	different := len(slices.Compact(slices.Clone(values))) > 1
	switch {
	case values[0] == "": // a key of Expect, which has no defaults
		return ""
	case len(names) == 1 && k.nonEmpty && values[0] == `""`:
		return fmt.Sprintf(" (%s only; required)", names[0])
	case len(names) == 1:
		return fmt.Sprintf(" (%s only; default %s)", names[0], values[0])
	case different:
		return fmt.Sprintf(" (default %s)", strings.Join(each, ", "))
	}
	return fmt.Sprintf(" (default %s)", values[0])
}

// defaultIn is k's default in an experiment, empty where its section has none.
func (k *key) defaultIn(experiment string) string {
	c := Defaults(experiment)
	if experiment == Search {
		c.Evaluate = evaluateDefaults()
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

// format prints a leaf as YAML reads it, strings without quotes. Floats are the shortest
// decimal that reads back to the same bits.
func format(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Array:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, format(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// interval is the range a number must lie in.
type interval struct {
	low, high         float64 // high is +Inf where there is no bound
	lowOpen, highOpen bool    // the end itself is excluded
}

// parseInterval reads a range tag such as "[0,1)" or "(0,)"; nil for an empty tag. A
// malformed tag is a mistake in this package, hence the panic.
func parseInterval(tag string) *interval {
	if tag == "" {
		return nil
	}
	low, high, _ := strings.Cut(tag[1:len(tag)-1], ",")
	i := &interval{high: math.Inf(1), lowOpen: tag[0] == '(', highOpen: tag[len(tag)-1] == ')'}
	var err error
	if i.low, err = strconv.ParseFloat(low, 64); err != nil {
		panic(fmt.Sprintf("config: range tag %q: %v", tag, err))
	}
	if high != "" {
		if i.high, err = strconv.ParseFloat(high, 64); err != nil {
			panic(fmt.Sprintf("config: range tag %q: %v", tag, err))
		}
	}
	return i
}

func (i *interval) contains(x float64) bool {
	return (x > i.low || x == i.low && !i.lowOpen) && (x < i.high || x == i.high && !i.highOpen)
}

func (i *interval) String() string {
	switch {
	case math.IsInf(i.high, 1) && i.lowOpen:
		return fmt.Sprintf("more than %v", i.low)
	case math.IsInf(i.high, 1):
		return fmt.Sprintf("%v or more", i.low)
	}
	left, right := "[", "]"
	if i.lowOpen {
		left = "("
	}
	if i.highOpen {
		right = ")"
	}
	return fmt.Sprintf("%s%v, %v%s", left, i.low, i.high, right)
}
