package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"godarts/cells/spelling"
	"godarts/nas/config/document"
	"godarts/nas/home"
	"godarts/nas/names"
)

// maxFileBytes bounds what is read as a config; the longest real one has 2 kB.
const maxFileBytes = 64 << 10

// Load reads the experiment in the file at path, over the file that it extends if any. A path without a folder
// where there is no file may name one of [Builtins]; the files that this one names are of the same. Load lays the items of set,
// "key.path=value" with a YAML value, over both in order. The value null removes an optional section (evaluate,
// expect).
//
// A published figure (expect) holds for the settings that it was written with. Where an item of set, or a file
// that extends the figure's file, changes settings, Expect.Changed lists the keys.
//
// Every error is one line that starts with "config: " and names the file and line, or the item, at fault. A
// missing file satisfies errors.Is(err, fs.ErrNotExist).
func Load(path string, set ...string) (*Config, error) {
	c, _, err := LoadWritten(path, set...)
	return c, err
}

// LoadWritten does what Load does, and also returns the keys that a file or an item gives: the others have their
// defaults.
func LoadWritten(path string, set ...string) (c *Config, written map[string]bool, err error) {
	path = find(path)
	all, c, err := loadLayers(path, set)
	if err != nil {
		return nil, nil, err
	}
	written = map[string]bool{}
	for key := range all.values {
		written[key] = true
	}
	return c, written, nil
}

// loadLayers does what Load does, and also returns the overlay.
func loadLayers(path string, set []string) (*layers, *Config, error) {
	all, err := overlay(path, set)
	if err != nil {
		return nil, nil, err
	}
	c, err := all.checked(path)
	if err != nil {
		return nil, nil, err
	}
	return all, c, all.markChanged(c, path, set)
}

// checked builds the config and checks what must hold between values.
func (l *layers) checked(name string) (*Config, error) {
	c, err := l.build(name)
	if err != nil {
		return nil, err
	}
	if p := c.rules(); p != nil {
		return nil, l.refuse(p, origin{where: names.Print(name)})
	}
	return c, nil
}

// overlay lays the items over the file at path, and that over the file that it extends.
func overlay(path string, set []string) (*layers, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	// The file is read once on its own first, for its extends.
	alone := newLayers()
	if err := alone.addFile(path, text, 1); err != nil {
		return nil, err
	}
	all := newLayers()
	all.near = path
	if alone.extends != nil {
		if err := all.addBase(path, alone.extends); err != nil {
			return nil, err
		}
		all.base = all.clone()
		if err := all.base.resolveTraining(); err != nil {
			return nil, err
		}
	}
	if err := all.addFile(path, text, 1); err != nil {
		return nil, err
	}
	for i, item := range set {
		if err := all.addSet(item, 2+i); err != nil {
			return nil, err
		}
	}
	return all, all.resolveTraining()
}

// resolveTraining puts the keys of evaluate.train in a search over the file that it names.
func (l *layers) resolveTraining() (err error) {
	if v := l.values["experiment"].node; v != nil && v.Value == Search && l.train != nil && l.train.file != nil {
		l.train, err = l.training()
	}
	return err
}

// training returns the overlay of the training that l describes: its keys over its file. It is nil if l describes none.
func (l *layers) training() (*layers, error) {
	if l.train == nil {
		return nil, nil
	}
	all := newLayers()
	if entry := l.train.file; entry != nil {
		wrong := func(err error) error { return fmt.Errorf("config: %v: %s: %w", entry.origin, trainKey, err) }
		path, err := home.Expand(entry.node.Value)
		if err != nil {
			return nil, wrong(err)
		}
		path = beside(entry.near, path)
		if all, err = overlay(path, nil); err != nil {
			return nil, wrong(err)
		}
		if own := all.values["experiment"]; own.node != nil && own.node.Value != Train {
			return nil, wrong(fmt.Errorf("%s is a %s experiment, want a train experiment", path, own.node.Value))
		}
		all.base = all.clone()
	}
	for path, v := range l.train.values {
		all.values[path] = v
	}
	for path, from := range l.train.sections {
		all.sections[path] = from
	}
	if _, ok := all.values["experiment"]; !ok {
		all.values["experiment"] = located{node: text(Train)}
	}
	return all, nil
}

// Parse reads an experiment from text, such as the resolved config of a run, and lays the items of set over it as
// Load does. Errors call the text name. The text cannot extend a file.
func Parse(name string, text []byte, set ...string) (*Config, error) {
	l := newLayers()
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("config: %s: more than %d bytes", names.Print(name), maxFileBytes)
	}
	if err := l.addFile(name, text, 1); err != nil {
		return nil, err
	}
	if l.extends != nil {
		return nil, fmt.Errorf("config: %v: extends: a resolved config stands alone", l.extends.origin)
	}
	for i, item := range set {
		if err := l.addSet(item, 2+i); err != nil {
			return nil, err
		}
	}
	return l.checked(name)
}

// AbsolutePaths returns c with absolute paths for data.root, pruned.weights, quantise.from and tables of latencies,
// where these are given, so that another working directory can read it.
func (c *Config) AbsolutePaths() (*Config, error) {
	absolute := *c
	if c.Pruned != nil {
		absolute.Pruned = new(*c.Pruned)
	}
	if c.Quantise != nil {
		absolute.Quantise = new(*c.Quantise)
	}
	for _, k := range current.Load().keys {
		if k.pathOf != latencies && !slices.Contains([]string{"data.root", "pruned.weights", "quantise.from"}, k.path) || !k.has(c) {
			continue
		}
		given, ok := k.field(c)
		if !ok || given.String() == "" {
			continue
		}
		path, err := filepath.Abs(given.String())
		if err != nil {
			return nil, fmt.Errorf("config: %s: %w", k.path, err)
		}
		if err := k.edit(&absolute, func(field reflect.Value) error {
			field.SetString(path)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return &absolute, nil
}

// NamedFile is a file that a key names.
type NamedFile struct{ Key, File string }

// LatencyTables returns the tables of latencies that the search c reads.
func (c *Config) LatencyTables() (tables []NamedFile) {
	for _, k := range current.Load().keys {
		if k.pathOf != latencies || !k.has(c) {
			continue
		}
		if field, ok := k.field(c); ok && field.String() != "" {
			tables = append(tables, NamedFile{k.path, field.String()})
		}
	}
	return tables
}

// addBase reads the file that an entry extends of the file at path names.
func (l *layers) addBase(path string, entry *located) error {
	node := entry.node
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" || node.Value == "" {
		return fmt.Errorf("config: %v: extends: given %s, want the name of a file", entry.origin, document.Given(node))
	}
	base, err := home.Expand(node.Value)
	if err != nil {
		return fmt.Errorf("config: %v: extends: %w", entry.origin, err)
	}
	base = beside(path, base)
	text, err := readFile(base)
	if err != nil {
		return fmt.Errorf("config: %v: extends: %w", entry.origin, err)
	}
	if err := l.addFile(base, text, 0); err != nil {
		return err
	}
	if l.extends != nil {
		return fmt.Errorf("config: %v: extends: %s, which itself extends a file (%v); one level is allowed",
			entry.origin, names.Print(base), l.extends.origin)
	}
	return nil
}

// readFile reads at most maxFileBytes. The error for a missing file names the nearest config beside it.
func readFile(path string) ([]byte, error) {
	if text, ok, err := readBuiltin(path); ok {
		return text, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if near := nearestFile(path); near != "" {
			return nil, fmt.Errorf("%w (nearest: %s)", err, near)
		}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("%s: more than %d bytes, not a config", path, maxFileBytes)
	}
	return text, nil
}

func nearestFile(path string) string {
	configs, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.yaml"))
	if err != nil { // a folder whose name is a malformed pattern
		return ""
	}
	if filepath.Base(path) == path {
		for _, b := range Builtins() {
			configs = append(configs, b.Name+filepath.Ext(path))
		}
	}
	return names.NearestBy(filepath.Base(path), configs, func(base, candidate string) int {
		return spelling.Distance(base, filepath.Base(candidate))
	})
}
