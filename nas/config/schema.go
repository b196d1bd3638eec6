package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"godarts/nas/finite"
)

// schemaNode is a part of a JSON Schema, draft-07, as far as a config needs it. Pointers
// and slices are left out where they are nil.
type schemaNode struct {
	Schema      string                 `json:"$schema,omitempty"`
	Title       string                 `json:"title,omitempty"`
	Description string                 `json:"description,omitempty"`
	Type        any                    `json:"type,omitempty"` // a name, or several
	Enum        []any                  `json:"enum,omitempty"`
	Minimum     *float64               `json:"minimum,omitempty"`
	Maximum     *float64               `json:"maximum,omitempty"`
	Above       *float64               `json:"exclusiveMinimum,omitempty"`
	Below       *float64               `json:"exclusiveMaximum,omitempty"`
	MultipleOf  int                    `json:"multipleOf,omitempty"`
	Items       *schemaNode            `json:"items,omitempty"`
	MinItems    int                    `json:"minItems,omitempty"`
	MaxItems    int                    `json:"maxItems,omitempty"`
	MinLength   int                    `json:"minLength,omitempty"`
	AnyOf       []*schemaNode          `json:"anyOf,omitempty"`
	Required    []string               `json:"required,omitempty"`
	Properties  map[string]*schemaNode `json:"properties,omitempty"`
	Additional  any                    `json:"additionalProperties,omitempty"` // false, or the node of other properties
}

// Schema returns the JSON Schema of a config file, docs/config.schema.json, which editors
// complete and check YAML by. It knows keys, types and ranges; what must hold between keys
// only [Load] checks.
func Schema() ([]byte, error) {
	root := object()
	root.Schema = "http://json-schema.org/draft-07/schema#"
	root.Title = "an experiment of godarts"
	root.AnyOf = []*schemaNode{{Required: []string{"experiment"}}, {Required: []string{"extends"}}}
	root.Properties["extends"] = &schemaNode{
		Type: "string", MinLength: 1,
		Description: "another config, a path from this file's folder, of which this file changes some keys; one level",
	}
	objects := map[string]*schemaNode{"": root}
	t := current.Load()
	for _, r := range t.rows() {
		names := strings.Split(r.path, ".")
		parent := root
		for depth, name := range names[:len(names)-1] {
			path := strings.Join(names[:depth+1], ".")
			if objects[path] == nil {
				objects[path] = object()
				if t.sections[path].optional {
					objects[path].Type = []string{"object", "null"}
				}
				own := objects[path]
				if file := parent.Properties[name]; file != nil { // of trainKey, which is a file or has keys of a training
					own.Additional = nil
					own = &schemaNode{Description: file.Description, AnyOf: []*schemaNode{file, own}}
				}
				parent.Properties[name] = own
			}
			parent = objects[path]
		}
		parent.Properties[names[len(names)-1]] = r.schema()
	}
	return finite.Indented(root)
}

// object returns a mapping that takes no keys besides its properties.
func object() *schemaNode {
	return &schemaNode{Type: "object", Properties: map[string]*schemaNode{}, Additional: false}
}

// schema returns the node of a path, described as in docs/config.md.
func (r *row) schema() *schemaNode {
	var each []*schemaNode
	for _, k := range r.all {
		node := k.schema()
		if !slices.ContainsFunc(each, func(other *schemaNode) bool { return reflect.DeepEqual(node, other) }) {
			each = append(each, node)
		}
	}
	node := each[0]
	if len(each) > 1 {
		node = &schemaNode{AnyOf: each}
	}
	node.Description = r.text + " (" + r.where() + "; default " + r.defaultCell() + r.own + ")"
	return node
}

// schema returns the node of k.
func (k *key) schema() *schemaNode {
	if isLeaf(k.kind) {
		var node schemaNode
		if err := json.Unmarshal([]byte(reflect.New(k.kind).Interface().(leaf).Schema()), &node); err != nil {
			panic(fmt.Sprintf("config: %s: %v", k.path, err))
		}
		return &node
	}
	if k.kind.Kind() != reflect.Array {
		return k.typeSchema(k.kind)
	}
	list := &schemaNode{Type: "array", Items: k.typeSchema(k.kind.Elem()), MinItems: k.kind.Len(), MaxItems: k.kind.Len()}
	if k.kind.Len() == 3 { // one number stands for three
		return &schemaNode{AnyOf: []*schemaNode{k.typeSchema(k.kind.Elem()), list}}
	}
	return list
}

// typeSchema returns the node of a value of type t within the bounds of k.
func (k *key) typeSchema(t reflect.Type) *schemaNode {
	switch t.Kind() {
	case reflect.Slice:
		return &schemaNode{Type: "array", Items: k.typeSchema(t.Elem())}
	case reflect.Bool:
		return &schemaNode{Type: "boolean"}
	case reflect.String:
		node := &schemaNode{Type: "string"}
		for _, value := range k.oneOf() {
			node.Enum = append(node.Enum, value)
		}
		if k.nonEmpty {
			node.MinLength = 1
		}
		return node
	case reflect.Float64:
		return k.bound(&schemaNode{Type: "number"})
	}
	node := &schemaNode{Type: "integer"}
	for _, value := range k.oneOf() {
		n, _ := strconv.Atoi(value) // newKey has read it
		node.Enum = append(node.Enum, n)
	}
	if k.even != "" {
		node.MultipleOf = 2
	}
	return k.bound(node)
}

// bound gives node the range of the numbers of k.
func (k *key) bound(node *schemaNode) *schemaNode {
	if i := k.interval; i != nil {
		if i.lowOpen {
			node.Above = &i.low
		} else {
			node.Minimum = &i.low
		}
		switch {
		case math.IsInf(i.high, 1):
		case i.highOpen:
			node.Below = &i.high
		default:
			node.Maximum = &i.high
		}
	}
	if k.most > 0 {
		most := float64(k.most)
		node.Maximum = &most
	}
	return node
}
