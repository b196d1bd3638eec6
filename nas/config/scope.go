package config

import (
	"fmt"
	"slices"
	"strings"
)

// has tells whether c is in the scope. Experiments without data count as those of images.
func (s scope) has(c *Config) bool {
	return s.wrong(c) == "" && (s.owner == "" || s.owner == c.Strategy.Name)
}

// wrong says why c is not in the scope, nothing if it is. Where c is a search by one of several
// strategies with a key of the same name, the keys of the others are not wrong.
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
		return fmt.Sprintf("images (data.name %s), only to texts (%s)", c.Data.Name, listed(textNames))
	case s.of == images && c.Data.IsText():
		return fmt.Sprintf("texts (data.name %s), only to images", c.Data.Name)
	}
	return ""
}

// reaches says whether the section at path, or a key below it, belongs in c.
func (s section) reaches(c *Config) bool {
	return s.has(c) || slices.ContainsFunc(current.Load().keys, func(k key) bool {
		return strings.HasPrefix(k.path, s.path+".") && k.has(c)
	})
}

// optional is the path of the optional section that k is in, the outermost of them; empty
// if there is none.
func (k *key) optional() string {
	for i, r := range k.path {
		if r == '.' && current.Load().sections[k.path[:i]].optional {
			return k.path[:i]
		}
	}
	return ""
}
