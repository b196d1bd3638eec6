package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/spelling"
)

// maxFileBytes bounds what is read as a config; the longest real one has 2 kB.
const maxFileBytes = 64 << 10

// Load reads the experiment in the file at path, over the file it extends if any, and lays
// the items of set, "key.path=value" with a YAML value, over both in order. An optional
// section (evaluate, expect) is taken away by the value null.
//
// A published figure (expect) holds for the settings that it was written with. Of a config
// that changes them, by set or by extending the file that has the figure, Expect.Changed
// lists the keys.
//
// Every error is one line that starts with "config: " and names the file and line, or the
// item, that is at fault. A missing file satisfies errors.Is(err, fs.ErrNotExist).
func Load(path string, set ...string) (*Config, error) {
	c, _, err := LoadWritten(path, set...)
	return c, err
}

// LoadWritten is Load, and tells which keys were written in a file or an item: the others
// have their defaults.
func LoadWritten(path string, set ...string) (c *Config, written map[string]bool, err error) {
	all, err := overlay(path, set)
	if err != nil {
		return nil, nil, err
	}
	if c, err = all.checked(path); err != nil {
		return nil, nil, err
	}
	if err := all.markChanged(c, path, set); err != nil {
		return nil, nil, err
	}
	written = map[string]bool{}
	for key := range all.values {
		written[key] = true
	}
	return c, written, nil
}

// checked is build with what must hold between values.
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

// overlay lays the items over the file at path, and that over the file it extends.
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
	if alone.extends != nil {
		if err := all.addBase(path, alone.extends); err != nil {
			return nil, err
		}
		all.base = all.clone()
	}
	if err := all.addFile(path, text, 1); err != nil {
		return nil, err
	}
	for i, item := range set {
		if err := all.addSet(item, 2+i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Parse reads an experiment from text, such as the resolved config of a run, and lays the items of
// set over it as Load does; name stands for the file in errors. The text cannot extend a file.
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

// AbsoluteRoot is c with data.root as an absolute path, if it is given: for what may be read from
// another working directory later.
func (c *Config) AbsoluteRoot() (*Config, error) {
	if c.Data.Root == "" || filepath.IsAbs(c.Data.Root) {
		return c, nil
	}
	root, err := filepath.Abs(c.Data.Root)
	if err != nil {
		return nil, fmt.Errorf("config: data.root: %w", err)
	}
	absolute := *c
	absolute.Data.Root = root
	return &absolute, nil
}

// addBase reads the file that an extends entry of the file at path names.
func (l *layers) addBase(path string, entry *located) error {
	node := entry.node
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" || node.Value == "" {
		return fmt.Errorf("config: %v: extends: given %s, want the name of a file", entry.origin, given(node))
	}
	base, err := home.Expand(node.Value)
	if err != nil {
		return fmt.Errorf("config: %v: extends: %w", entry.origin, err)
	}
	if !filepath.IsAbs(base) {
		base = filepath.Join(filepath.Dir(path), base)
	}
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

// readFile reads at most maxFileBytes. A file that does not exist is reported with the
// nearest config beside it.
func readFile(path string) ([]byte, error) {
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
	return names.NearestBy(filepath.Base(path), configs, func(base, candidate string) int {
		return spelling.Distance(base, filepath.Base(candidate))
	})
}
