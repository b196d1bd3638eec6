package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"godarts/nas/data/corpus"
)

// Method is what configs know of a search strategy.
type Method struct {
	Name  string // the value of strategy.name
	How   string // how it searches, as strategy.name explains it: "by gradients of the architecture"
	Note  string // what that says in brackets after Name; may be empty
	Paper string // arXiv number, by which strategies of a kind are listed; empty if it has no paper of its own

	// Keys are the keys of the strategy itself, below "strategy" in a file: a struct with the tags of Config and with
	// the default values; nil if there are none. Sections are structs, not pointers. The keys of an embedded struct
	// lie beside the others.
	//
	// TextKeys are the same keys with the defaults of a search on texts; nil if those do not differ.
	Keys, TextKeys any

	Alpha bool // it searches by α, which validation images train in each step
	Texts bool // it searches cells of texts too

	Takes []string // shared keys, or sections, that only strategies have which name them: "network.form"
	Lacks []string // shared keys, or sections, that it does not have: "network.layers"

	// Trials returns how many cells the search c tries. It is nil but for strategies that train each cell from
	// scratch, whose searches have the keys of a training.
	Trials func(c *Config) int

	// Defaults sets shared keys to the numbers of the strategy's authors, in place of those of DARTS. It may be nil.
	Defaults func(c *Config)

	// Rules returns what is wrong between keys of the search c, nil if nothing is. Each value is in range. The
	// function may be nil.
	Rules func(c *Config) *Problem

	// RunEpochs returns the epochs of the whole run, nil for c.Epochs.
	RunEpochs func(c *Config) int

	// Label returns the name of the search c in a comparison, nil for Name.
	Label func(c *Config) string
}

// table holds all keys. It does not change: Register makes another one.
type table struct {
	methods  []*Method // as listed
	keys     []key     // those of strategies follow strategy.name; several may have one path
	sections map[string]section
}

var (
	current     atomic.Pointer[table]
	registering sync.Mutex
)

func init() { current.Store(newTable(nil)) }

// Register adds a search strategy to those that configs can name. A package calls it in an init function. It
// panics if the name is taken, or if a tag of the keys is malformed.
func Register(m Method) {
	registering.Lock()
	defer registering.Unlock()
	t := current.Load()
	if m.Name == "" || strings.ContainsAny(m.Name, " \n\t") {
		panic(fmt.Sprintf("config: register strategy %q: want a name without spaces", m.Name))
	}
	if t.method(m.Name) != nil {
		panic(fmt.Sprintf("config: register strategy %q: there is one of that name", m.Name))
	}
	if m.TextKeys != nil && reflect.TypeOf(m.TextKeys) != reflect.TypeOf(m.Keys) {
		panic(fmt.Sprintf("config: register strategy %q: TextKeys are %T, Keys %T", m.Name, m.TextKeys, m.Keys))
	}
	current.Store(newTable(append(slices.Clone(t.methods), &m)))
}

// method returns the strategy of that name, nil if there is none.
func (t *table) method(name string) *Method {
	for _, m := range t.methods {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// method returns the strategy of the search c; an empty Method if c is no search or its strategy is not
// registered.
func (c *Config) method() *Method {
	if c.Experiment == Search {
		if m := current.Load().method(c.Strategy.Name); m != nil {
			return m
		}
	}
	return &Method{}
}

// HasAlpha reports whether c searches by α, which validation images train in each step.
func (c *Config) HasAlpha() bool { return c.method().Alpha }

// FromScratch reports whether c is a search that trains every cell it tries from scratch.
func (c *Config) FromScratch() bool { return c.method().Trials != nil }

// Trials returns how many cells such a search tries.
func (c *Config) Trials() int { return c.method().Trials(c) }

// RunEpochs returns the epochs of the whole run: Epochs, and those that the strategy adds.
func (c *Config) RunEpochs() int {
	if epochs := c.method().RunEpochs; epochs != nil {
		return epochs(c)
	}
	return c.Epochs
}

// Has reports whether c has the key of that path, such as "network.form".
func (c *Config) Has(path string) bool {
	return slices.ContainsFunc(current.Load().keys, func(k key) bool { return k.path == path && k.has(c) })
}

// KeysAs returns the keys of the strategy of c, zeros if they are not of type K.
func KeysAs[K any](c *Config) K {
	keys, _ := c.Strategy.Keys.(K)
	return keys
}

// newTable walks the tags of Config and of the strategies' keys.
func newTable(methods []*Method) *table {
	slices.SortFunc(methods, func(a, b *Method) int {
		return cmp.Or(cmp.Compare(a.class(), b.class()), cmp.Compare(a.Paper, b.Paper), cmp.Compare(a.Name, b.Name))
	})
	t := &table{methods: methods, sections: map[string]section{}}
	var shared, owned tree
	shared.walk(reflect.TypeFor[Config](), "", scope{}, nil)
	for _, m := range methods {
		if m.Keys != nil {
			if kind := reflect.TypeOf(m.Keys).Kind(); kind != reflect.Struct {
				panic(fmt.Sprintf("config: register strategy %q: Keys are of type %T, want a struct", m.Name, m.Keys))
			}
			owned.walk(reflect.TypeOf(m.Keys), "strategy.", scope{only: Search, owner: m.Name}, nil)
		}
	}
	t.sections[""] = section{}
	for _, s := range slices.Concat(shared.sections, owned.sections) {
		s.takers, s.lackers = t.having(s.scope, s.path, owned)
		if other, ok := t.sections[s.path]; ok && other.of != s.of {
			s.of = ""
		}
		s.owner = "" // its keys have owners
		t.sections[s.path] = s
	}
	for _, k := range shared.keys {
		if k.path == "strategy.name" {
			k.doc, k.named = t.explained(k.doc), t.names()
		}
		t.add(k, owned)
		if k.path == "strategy.name" {
			for _, k := range owned.keys {
				t.add(k, owned)
			}
		}
	}
	return t
}

// add appends a key. It panics if a section, a shared key or another key of its strategy has the path.
func (t *table) add(k key, owned tree) {
	_, section := t.sections[k.path]
	section = section && k.path != trainKey // which is a key of some experiments and a section of others
	if section || slices.ContainsFunc(t.keys, func(other key) bool {
		return other.path == k.path && (other.owner == "" || other.owner == k.owner)
	}) {
		panic(fmt.Sprintf("config: register strategy %q: key %s is there already", k.owner, k.path))
	}
	k.takers, k.lackers = t.having(k.scope, k.path, owned)
	t.keys = append(t.keys, k)
}

// having lists the strategies that have what lies at path, and those that lack a shared key. takers is nil where
// all have it.
func (t *table) having(s scope, path string, owned tree) (takers, lackers []string) {
	below := func(section string) bool { return path == section || strings.HasPrefix(path, section+".") }
	takers = []string{}
	for _, m := range t.methods {
		takes := s.by == byAlpha && m.Alpha || s.by == byScratch && m.Trials != nil || s.by == byNamed && slices.ContainsFunc(m.Takes, below)
		if s.owner != "" {
			takes = slices.ContainsFunc(owned.keys, func(k key) bool {
				return k.owner == m.Name && (k.path == path || strings.HasPrefix(k.path, path+"."))
			})
		}
		if takes {
			takers = append(takers, m.Name)
		}
		if slices.ContainsFunc(m.Lacks, below) {
			lackers = append(lackers, m.Name)
		}
	}
	if s.by == "" && s.owner == "" {
		takers = nil
	}
	return takers, lackers
}

// class returns the place of the kind of strategy in a list: by α, by shared weights, from scratch.
func (m *Method) class() int {
	switch {
	case m.Alpha:
		return 0
	case m.Trials == nil:
		return 1
	}
	return 2
}

// names returns the names of all strategies.
func (t *table) names() (names []string) {
	for _, m := range t.methods {
		names = append(names, m.Name)
	}
	return names
}

// explained returns the meaning of strategy.name: each strategy, and how it searches.
func (t *table) explained(doc string) string {
	var parts []string
	for i := 0; i < len(t.methods); {
		how := t.methods[i].How
		var names []string
		for ; i < len(t.methods) && t.methods[i].How == how; i++ {
			name := t.methods[i].Name
			if note := t.methods[i].Note; note != "" {
				name += " (" + note + ")"
			}
			names = append(names, name)
		}
		parts = append(parts, joined(names, " and ")+" "+how)
	}
	if len(parts) == 0 {
		return doc
	}
	return doc + ": " + strings.Join(parts, "; ")
}

// joined returns names for a sentence: with commas, and with word before the last.
func joined(names []string, word string) string {
	last := len(names) - 1
	switch last {
	case -1:
		return "none"
	case 0:
		return names[0]
	}
	return strings.Join(names[:last], ", ") + word + names[last]
}

// listed returns names as a choice: "search, train or repeat".
func listed(names []string) string { return joined(names, " or ") }

// has reports whether c is in the scope. Experiments without data count as those on images.
func (s scope) has(c *Config) bool {
	return s.wrong(c) == "" && (s.owner == "" || s.owner == c.Strategy.Name)
}

// wrong returns why c is not in the scope, nothing if it is. Where several strategies have a key of the same name,
// the keys of those that c does not use are not wrong.
func (s scope) wrong(c *Config) string {
	switch {
	case s.only != "" && !slices.Contains(strings.Fields(s.only), c.Experiment):
		return fmt.Sprintf("experiment %s, only to %s", c.Experiment, strings.ReplaceAll(s.only, " ", " or "))
	case s.takers != nil && c.Experiment == Search && !slices.Contains(s.takers, c.Strategy.Name):
		return fmt.Sprintf("strategy %s, only to %s", c.Strategy.Name, listed(s.takers))
	case c.Experiment == Search && slices.Contains(s.lackers, c.Strategy.Name):
		return fmt.Sprintf("strategy %s, only to all others", c.Strategy.Name)
	case s.owner != "" && s.owner != c.Strategy.Name:
		return ""
	case s.of == texts && !c.Data.IsText():
		return fmt.Sprintf("images (data.name %s), only to texts (%s)", c.Data.Name, listed(corpus.Names()))
	case s.of == images && c.Data.IsText():
		return fmt.Sprintf("texts (data.name %s), only to images", c.Data.Name)
	}
	return ""
}

// reaches reports whether the section, or a key below it, belongs in c.
func (s section) reaches(c *Config) bool {
	return s.has(c) || slices.ContainsFunc(current.Load().keys, func(k key) bool {
		return strings.HasPrefix(k.path, s.path+".") && k.has(c)
	})
}

// optional returns the path of the outermost optional section that k is in, nothing if there is none.
func (k *key) optional() string {
	for i, r := range k.path {
		if r == '.' && current.Load().sections[k.path[:i]].optional {
			return k.path[:i]
		}
	}
	return ""
}
