package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"godarts/cells/genotype"
	"godarts/nas/config/document"
)

// key is one leaf of Config, or of the keys that a strategy has of its own, as its tags describe it.
type key struct {
	path string // "w.lr_min"
	doc  string
	scope
	index    []int        // of the field in Config, or in the owner's Keys, for reflect
	kind     reflect.Type // of the field
	interval *interval
	named    []string // all values that it takes; see oneOf
	nonEmpty bool
	pathOf   string // what the file or folder of that path is; empty for what is no path
	even     string // why an odd value is wrong; empty if it is not
	why      string // what a value outside interval means
	most     int    // 0 is no limit
}

// scope says which configs have a key or a section.
type scope struct {
	only  string // experiments, with spaces between; empty for all
	of    string // images or texts; empty for both
	by    string // what strategies have to do to have it: byAlpha, byScratch or byNamed; empty for all
	owner string // the strategy that has it of its own; empty for what strategies share

	// What newTable makes of by and owner: the strategies of a search that have it, or that have it
	// not. Both are nil where all have it.
	takers, lackers []string
}

// The values of the tag by.
const (
	byAlpha   = "alpha"   // they search by alpha
	byScratch = "scratch" // they train each cell from scratch
	byNamed   = "named"   // they name it in Method.Takes
)

// latencies is the value of the tag path for tables of latencies; others have "true".
const latencies = "latencies"

// leaf is the value of a key that reads and writes its own YAML.
type leaf interface {
	// Decode reads the value in node. If it is no value of the key, it returns what is wanted.
	Decode(node *yaml.Node) (want string)
	Encode() *yaml.Node
	Wanted() string // which values the key takes
	Schema() string // their JSON Schema
}

// isLeaf reports whether values of type t are leaves.
func isLeaf(t reflect.Type) bool { return reflect.PointerTo(t).Implements(reflect.TypeFor[leaf]()) }

// leafOf returns a copy of v if it is a leaf, else nil.
func leafOf(v reflect.Value) leaf {
	if !isLeaf(v.Type()) {
		return nil
	}
	copied := reflect.New(v.Type())
	copied.Elem().Set(v)
	return copied.Interface().(leaf)
}

// section is an inner node of the key tree.
type section struct {
	scope
	path     string
	optional bool // a pointer in Config: absent unless the file has it
}

// tree holds what the tags of a struct declare, in the order of its fields.
type tree struct {
	keys     []key
	sections []section
}

// walk adds the keys and sections of struct t, below prefix. It panics if a tag or a type is not one that a config
// can have: that is a mistake of the package that declares it.
func (tr *tree) walk(t reflect.Type, prefix string, in scope, index []int) {
	for f := range t.Fields() {
		index := append(slices.Clone(index), f.Index...)
		if f.Anonymous && f.Type.Kind() == reflect.Struct { // its keys lie beside those around it
			tr.walk(f.Type, prefix, in, index)
			continue
		}
		if f.Type.Kind() == reflect.Interface { // the Keys of a strategy: each Method has its own
			continue
		}
		name := f.Tag.Get("key")
		path := prefix + name
		if name == "" || strings.Contains(name, ".") || !f.IsExported() {
			panic(fmt.Sprintf("config: field %s of %s: want an exported field with a tag key", f.Name, t))
		}
		in := scope{only: cmp.Or(f.Tag.Get("only"), in.only), of: cmp.Or(f.Tag.Get("of"), in.of), by: cmp.Or(f.Tag.Get("by"), in.by), owner: in.owner}
		ft := f.Type
		optional := ft.Kind() == reflect.Pointer && in.owner == ""
		if optional {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct && !isLeaf(ft) {
			tr.sections = append(tr.sections, section{scope: in, path: path, optional: optional})
			tr.walk(ft, path+".", in, index)
			continue
		}
		k, err := newKey(path, f, in)
		if err != nil {
			panic(fmt.Sprintf("config: field %s of %s: %v", f.Name, t, err))
		}
		k.index = index
		tr.keys = append(tr.keys, k)
	}
}

// newKey reads the tags of a leaf.
func newKey(path string, f reflect.StructField, in scope) (key, error) {
	k := key{
		path: path, scope: in, kind: f.Type,
		doc:      f.Tag.Get("doc"),
		named:    strings.Fields(f.Tag.Get("oneof")),
		nonEmpty: f.Tag.Get("nonempty") != "",
		pathOf:   f.Tag.Get("path"),
		even:     f.Tag.Get("even"),
		why:      f.Tag.Get("why"),
	}
	var err error
	if k.interval, err = parseInterval(f.Tag.Get("range")); err != nil {
		return k, err
	}
	if most := f.Tag.Get("most"); most != "" {
		if k.most, err = strconv.Atoi(most); err != nil {
			return k, fmt.Errorf("tag most %q: %w", most, err)
		}
	}
	switch {
	case k.doc == "":
		return k, errors.New("no tag doc")
	case k.of != "" && k.of != images && k.of != texts:
		return k, fmt.Errorf("tag of %q: want %s or %s", k.of, images, texts)
	case k.by != "" && !slices.Contains([]string{byAlpha, byScratch, byNamed}, k.by):
		return k, fmt.Errorf("tag by %q: want %s, %s or %s", k.by, byAlpha, byScratch, byNamed)
	case !readable(f.Type):
		return k, fmt.Errorf("a config has no values of type %s", f.Type)
	case f.Type.Kind() == reflect.Int || f.Type.Kind() == reflect.Int64:
		for _, value := range k.named {
			if _, err := strconv.Atoi(value); err != nil {
				return k, fmt.Errorf("tag oneof: %w", err)
			}
		}
	}
	return k, nil
}

// What stands in a tag oneof for values that a program may add to.
const (
	anyOperation = "OPERATION" // all operations that a space may have
	anyData      = "DATA"      // all data sets
)

// oneOf returns the values that k takes, nil if they have no names.
func (k *key) oneOf() (names []string) {
	switch {
	case slices.Equal(k.named, []string{anyOperation}):
		for _, op := range genotype.SearchOps() {
			names = append(names, string(op))
		}
		return names
	case slices.Equal(k.named, []string{anyData}):
		return dataNames()
	}
	return k.named
}

// readable reports whether a key may have values of type t.
func readable(t reflect.Type) bool {
	if isLeaf(t) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	case reflect.Array:
		of := t.Elem().Kind()
		return (t.Len() == 2 || t.Len() == 3) && (of == reflect.Int || of == reflect.Float64)
	case reflect.Slice:
		of := t.Elem()
		return of.Kind() == reflect.String || of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.String
	}
	return false
}

// field returns the field of k in c, for reading. It returns false where the optional section of k is absent, or
// where c is not a search by the strategy that owns k.
func (k *key) field(c *Config) (reflect.Value, bool) {
	if k.owner == "" {
		v, err := reflect.ValueOf(c).Elem().FieldByIndexErr(k.index)
		return v, err == nil
	}
	if c.Strategy.Name != k.owner || c.Strategy.Keys == nil {
		return reflect.Value{}, false
	}
	return reflect.ValueOf(c.Strategy.Keys).FieldByIndex(k.index), true
}

// edit calls change with the field of k in c, which has one. After an error, keys of a strategy are as before.
func (k *key) edit(c *Config, change func(field reflect.Value) error) error {
	if k.owner == "" {
		field, ok := k.field(c)
		if !ok {
			panic("config: " + k.path + ": set in a section that was not made")
		}
		return change(field)
	}
	keys := reflect.New(reflect.TypeOf(c.Strategy.Keys)).Elem() // a copy: other copies of c keep theirs
	keys.Set(reflect.ValueOf(c.Strategy.Keys))
	if err := change(keys.FieldByIndex(k.index)); err != nil {
		return err
	}
	c.Strategy.Keys = keys.Interface()
	return nil
}

// format prints a leaf as YAML reads it, strings without quotes. Floats have the fewest digits that read back to
// the same bits.
func format(v reflect.Value) string {
	if l := leafOf(v); l != nil {
		return document.OneLine(l.Encode())
	}
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

// parseInterval reads a tag range such as "[0,1)" or "(0,)". It returns nil for an empty tag.
func parseInterval(tag string) (*interval, error) {
	if tag == "" {
		return nil, nil
	}
	last := len(tag) - 1
	if !strings.ContainsRune("[(", rune(tag[0])) || !strings.ContainsRune("])", rune(tag[last])) {
		return nil, fmt.Errorf("tag range %q: want an interval such as [0,1)", tag)
	}
	low, high, _ := strings.Cut(tag[1:last], ",")
	i := &interval{high: math.Inf(1), lowOpen: tag[0] == '(', highOpen: tag[last] == ')'}
	var err error
	if i.low, err = strconv.ParseFloat(low, 64); err == nil && high != "" {
		i.high, err = strconv.ParseFloat(high, 64)
	}
	if err != nil {
		return nil, fmt.Errorf("tag range %q: %w", tag, err)
	}
	return i, nil
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
