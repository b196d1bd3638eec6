package config

import (
	"bytes"
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// YAML returns the resolved config: every key that applies to the experiment, in the order of Keys, with the
// optional sections that are present. Equal configs give equal bytes, and Parse reads them back to an equal
// Config.
//
// YAML returns an error for a Config that Parse would refuse, such as one with an empty Genotype.
func (c *Config) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	inner := map[string]*yaml.Node{"": root}
	keys := current.Load().keys
	for i := range keys {
		k := &keys[i]
		field, ok := k.field(c)
		if !ok || !k.has(c) {
			continue
		}
		parent := root
		for j, r := range k.path {
			if r != '.' {
				continue
			}
			path := k.path[:j]
			if inner[path] == nil {
				inner[path] = &yaml.Node{Kind: yaml.MappingNode}
				parent.Content = append(parent.Content, text(last(path)), inner[path])
			}
			parent = inner[path]
		}
		parent.Content = append(parent.Content, text(last(k.path)), encode(field))
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("config: encode: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("config: encode: %w", err)
	}
	if _, err := Parse("the config to write", out.Bytes()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// encode returns the YAML node of a leaf.
func encode(v reflect.Value) *yaml.Node {
	if l := leafOf(v); l != nil {
		return l.Encode()
	}
	switch v.Kind() {
	case reflect.String:
		return text(v.String())
	case reflect.Array, reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range v.Len() {
			list.Content = append(list.Content, encode(v.Index(i)))
		}
		return list
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: format(v)}
}

// text returns a YAML string. The encoder quotes it where it would read as something else.
func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
