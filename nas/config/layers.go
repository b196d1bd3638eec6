package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"godarts/cells/spelling"
	"godarts/nas/config/document"
	"godarts/nas/names"
)

// origin is where a value was written.
type origin struct {
	where string // a file's name, or "--set key=value"
	line  int    // in the file; 0 for an item of --set
	rank  int    // later layers win and are blamed first: 0 the extended file, 1 the file, 2.. the items
	near  string // the config whose folder file names in the value begin at
}

func (o origin) String() string {
	if o.line == 0 {
		return o.where
	}
	return fmt.Sprintf("%s:%d", o.where, o.line)
}

// located is a YAML value with its origin.
type located struct {
	node *yaml.Node
	origin
}

// layers is the overlay of all sources: the last value written for each key.
type layers struct {
	values   map[string]located // by path of a leaf
	sections map[string]origin  // sections that some source mentions
	extends  *located           // the "extends" entry of the file last read
	base     *layers            // the extended file alone; nil if there is none
	near     string             // the config whose folder file names in items begin at

	train *layers  // the keys of evaluate.train; nil if it has none
	file  *located // in such layers: the file below them; nil if there is none
}

func newLayers() *layers {
	return &layers{values: map[string]located{}, sections: map[string]origin{}}
}

func (l *layers) clone() *layers {
	copied := &layers{values: maps.Clone(l.values), sections: maps.Clone(l.sections), near: l.near, file: l.file}
	if l.train != nil {
		copied.train = l.train.clone()
	}
	return copied
}

// addFile lays the text of a file over the values so far.
func (l *layers) addFile(name string, text []byte, rank int) error {
	root, line, err := document.Parse(text)
	from := origin{where: names.Print(name), rank: rank, line: line, near: name}
	if err != nil {
		return fmt.Errorf("config: %v: %w", from, err)
	}
	l.extends = nil
	return l.add("", root, from)
}

// addSet lays one "key.path=value" item over the values so far.
func (l *layers) addSet(item string, rank int) error {
	from := origin{where: "--set " + names.Limit(item, 80), rank: rank, near: l.near}
	path, text, ok := strings.Cut(item, "=")
	switch {
	case !ok:
		return fmt.Errorf("config: %v: want key.path=value", from)
	case path == "extends":
		return fmt.Errorf(`config: %v: "extends" belongs in a file`, from)
	case path == "" || !isKey(path) && !ofTraining(path):
		return unknown(from, path)
	case strings.TrimSpace(text) == "":
		return fmt.Errorf(`config: %v: no value after "=" (write "" for empty text)`, from)
	}
	root, _, err := document.Parse([]byte(text))
	if err != nil {
		return fmt.Errorf("config: %v: %s: %w", from, path, err)
	}
	return l.add(path, root, from)
}

// add records node, the value of path, and everything below it.
func (l *layers) add(path string, node *yaml.Node, from origin) error {
	from = from.at(node)
	if node.Kind == yaml.AliasNode {
		return fmt.Errorf("config: %v: %s*%s: aliases are not supported; write the value out", from, subject(path), names.Limit(node.Value, 40))
	}
	if ofTraining(path) {
		return l.addTraining(path, node, from)
	}
	s, inner := current.Load().sections[path]
	if !inner {
		l.mention(path, from)
		l.values[path] = located{node, from}
		return nil
	}
	if node.Kind != yaml.MappingNode {
		if s.optional && node.ShortTag() == "!!null" {
			l.remove(path)
			return nil
		}
		return fmt.Errorf("config: %v: %sgiven %s, want keys with values below it", from, subject(path), document.Given(node))
	}
	l.mention(path, from)
	if path != "" {
		l.sections[path] = from
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		at := from.at(name)
		if name.Kind != yaml.ScalarNode {
			return fmt.Errorf("config: %v: %sa key is given as %s, want a name", at, subject(path), document.Given(name))
		}
		child := join(path, name.Value)
		if seen[name.Value] {
			return fmt.Errorf("config: %v: key %s is given twice", at, names.Quote(child, 60))
		}
		seen[name.Value] = true
		if child == "extends" {
			l.extends = &located{value, at}
			continue
		}
		if name.Value == "" || strings.Contains(name.Value, ".") || !isKey(child) && !ofTraining(child) {
			return unknown(at, child)
		}
		if err := l.add(child, value, at); err != nil {
			return err
		}
	}
	return nil
}

// mention marks every section above path as present.
func (l *layers) mention(path string, from origin) {
	for i, r := range path {
		if r == '.' {
			l.sections[path[:i]] = from
		}
	}
}

// remove forgets an optional section and all below it.
func (l *layers) remove(path string) {
	if path == "evaluate" {
		l.train = nil
	}
	delete(l.sections, path)
	for p := range l.sections {
		if strings.HasPrefix(p, path+".") {
			delete(l.sections, p)
		}
	}
	for p := range l.values {
		if strings.HasPrefix(p, path+".") {
			delete(l.values, p)
		}
	}
}

// blame returns the origin of the path that was written last, fallback if none was.
func (l *layers) blame(fallback origin, paths ...string) origin {
	worst := origin{rank: -1}
	for _, p := range paths {
		if v, ok := l.values[p]; ok && v.rank > worst.rank {
			worst = v.origin
		}
	}
	if worst.rank < 0 {
		return fallback
	}
	return worst
}

// at returns o at the line of the node; an item of --set has no lines.
func (o origin) at(node *yaml.Node) origin {
	if !strings.HasPrefix(o.where, "--set ") {
		o.line = node.Line
	}
	return o
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// subject returns "path: ", or nothing at the top level.
func subject(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func isKey(path string) bool {
	t := current.Load()
	_, section := t.sections[path]
	return section || slices.ContainsFunc(t.keys, func(k key) bool { return k.path == path })
}

// unknown returns the error for a key that does not exist.
func unknown(from origin, path string) error {
	if strings.HasPrefix(path, "strategy.") && len(current.Load().methods) == 0 {
		return fmt.Errorf("config: %v: unknown key %s: no strategy is registered (forgotten import of godarts/nas/search?)", from, names.Quote(path, 60))
	}
	return fmt.Errorf("config: %v: unknown key %s (nearest: %q)", from, names.Quote(path, 60), nearestKey(path))
}

// nearestKey returns the key or section closest to path. A key of the same last name elsewhere ("w.betas" for
// "alpha.betas") is as near as one typing mistake.
func nearestKey(path string) string {
	var candidates []string
	t := current.Load()
	for _, k := range t.keys {
		candidates = append(candidates, k.path)
	}
	for s := range t.sections {
		if s != "" {
			candidates = append(candidates, s)
		}
	}
	slices.Sort(candidates[len(t.keys):]) // map order is random, the answer must not be
	return names.NearestBy(path, candidates, func(path, candidate string) int {
		return min(spelling.Distance(path, candidate), 1+spelling.Distance(last(path), last(candidate)))
	})
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// KeysNamed returns the keys whose path is name or ends in it ("w.lr" and others for "lr"), the shortest paths
// first.
func KeysNamed(name string) (paths []string) {
	for _, k := range current.Load().keys {
		if (k.path == name || last(k.path) == name) && !slices.Contains(paths, k.path) {
			paths = append(paths, k.path)
		}
	}
	depth := func(path string) int { return strings.Count(path, ".") }
	slices.SortStableFunc(paths, func(a, b string) int { return depth(a) - depth(b) })
	return paths
}
