package config

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// key is one leaf of Config, as its tags describe it.
type key struct {
	path string // "w.lr_min"
	doc  string
	scope
	index    []int // of the field in Config, for reflect
	interval *interval
	oneOf    []string
	nonEmpty bool
	isPath   bool   // a file or folder
	even     string // why an odd value is wrong; empty if it is not
	why      string // what a value outside interval means
	most     int    // 0 is no limit
}

// scope is where something belongs, as its tags say.
type scope struct {
	only string // experiments, with spaces between; empty for all
	of   string // images or texts; empty for both
	by   string // strategies of a search, with spaces between; empty for all
	not  string // strategies of a search that it is not of, likewise
}

// has tells whether c is in the scope. Experiments without data count as those of images.
func (s scope) has(c *Config) bool { return s.wrong(c) == "" }

// wrong says why c is not in the scope, nothing if it is.
func (s scope) wrong(c *Config) string {
	switch {
	case s.only != "" && !slices.Contains(strings.Fields(s.only), c.Experiment):
		return fmt.Sprintf("experiment %s, only to %s", c.Experiment, strings.ReplaceAll(s.only, " ", " or "))
	case s.by != "" && c.Experiment == Search && !slices.Contains(strings.Fields(s.by), c.Strategy.Name):
		return fmt.Sprintf("strategy %s, only to %s", c.Strategy.Name, listed(strings.Fields(s.by)))
	case s.not != "" && c.Experiment == Search && slices.Contains(strings.Fields(s.not), c.Strategy.Name):
		return fmt.Sprintf("strategy %s, only to all others", c.Strategy.Name)
	case s.of == texts && !c.Data.IsText():
		return fmt.Sprintf("images (data.name %s), only to texts (%s)", c.Data.Name, listed(textNames))
	case s.of == images && c.Data.IsText():
		return fmt.Sprintf("texts (data.name %s), only to images", c.Data.Name)
	}
	return ""
}

// section is an inner node of the key tree.
type section struct {
	scope
	optional bool // a pointer in Config: absent unless the file has it
}

var keys, sections = table()

// table walks Config's tags once.
func table() ([]key, map[string]section) {
	var leaves []key
	inner := map[string]section{"": {}}
	var walk func(t reflect.Type, prefix string, in scope, index []int)
	walk = func(t reflect.Type, prefix string, in scope, index []int) {
		for f := range t.Fields() {
			path := prefix + f.Tag.Get("key")
			in := scope{only: cmp.Or(f.Tag.Get("only"), in.only), of: cmp.Or(f.Tag.Get("of"), in.of), by: cmp.Or(f.Tag.Get("for"), in.by), not: cmp.Or(f.Tag.Get("not"), in.not)}
			index := append(append([]int(nil), index...), f.Index...)
			ft := f.Type
			optional := ft.Kind() == reflect.Pointer
			if optional {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct {
				inner[path] = section{scope: in, optional: optional}
				walk(ft, path+".", in, index)
				continue
			}
			leaves = append(leaves, key{
				path:     path,
				doc:      f.Tag.Get("doc"),
				scope:    in,
				index:    index,
				interval: parseInterval(f.Tag.Get("range")),
				oneOf:    strings.Fields(f.Tag.Get("oneof")),
				nonEmpty: f.Tag.Get("nonempty") != "",
				isPath:   f.Tag.Get("path") != "",
				even:     f.Tag.Get("even"),
				why:      f.Tag.Get("why"),
				most:     parseMost(f.Tag.Get("most")),
			})
		}
	}
	walk(reflect.TypeFor[Config](), "", scope{}, nil)
	return leaves, inner
}

// reaches says whether the section at path, or a key below it, belongs in c.
func (s section) reaches(path string, c *Config) bool {
	return s.has(c) || slices.ContainsFunc(keys, func(k key) bool {
		return strings.HasPrefix(k.path, path+".") && k.has(c)
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
// what it means, the experiment it is restricted to if any, and its default, that of texts
// too where it is another. Paths are padded to one width.
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
	var parts []string
	ofImages, names := k.defaultsOf(images)
	ofTexts, textNames := k.defaultsOf(texts)
	if len(names) == 0 {
		names = textNames
	}
	switch {
	case k.by != "" && slices.Contains(names, Train):
		parts = append(parts, "in training, and in a search by "+listed(strings.Fields(k.by)))
	case k.by != "":
		parts = append(parts, "strategy "+listed(strings.Fields(k.by)))
	case k.not != "":
		parts = append(parts, "not of strategy "+listed(strings.Fields(k.not)))
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

// defaultsOf are k's defaults where the data is of a kind, in one word if they are the same in
// all experiments that k belongs in, and those; empty where k has none.
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

// strategy is one of those that k belongs to, darts if it can be.
func (k *key) strategy() string {
	if by := strings.Fields(k.by); len(by) > 0 && !slices.Contains(by, DARTS) {
		return by[0]
	}
	return DARTS
}

// defaultIn is k's value in the defaults c, empty where its section has none.
func (k *key) defaultIn(c *Config) string {
	if c.Experiment == Search && !c.Data.IsText() {
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
	case reflect.Array, reflect.Slice:
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

// parseMost reads a tag most; 0 for an empty one. As a malformed range it is a mistake.
func parseMost(tag string) int {
	if tag == "" {
		return 0
	}
	n, err := strconv.Atoi(tag)
	if err != nil {
		panic(fmt.Sprintf("config: tag most %q: %v", tag, err))
	}
	return n
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
