package document

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"godarts/nas/names"
)

// Given names a value in an error.
func Given(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!str":
		return "text " + names.Quote(node.Value, 40)
	}
	return names.Limit(node.Value, 40)
}

// OneLine returns the YAML of a value on one line.
func OneLine(node *yaml.Node) string {
	var flow func(n yaml.Node) *yaml.Node
	flow = func(n yaml.Node) *yaml.Node {
		if n.Kind != yaml.ScalarNode {
			n.Style = yaml.FlowStyle
		}
		n.HeadComment, n.LineComment, n.FootComment = "", "", ""
		of := n.Content
		n.Content = nil
		for _, child := range of {
			n.Content = append(n.Content, flow(*child))
		}
		return &n
	}
	out, err := yaml.Marshal(flow(*node))
	if err != nil { // of no node that was read
		return node.Value
	}
	return string(bytes.TrimSpace(out))
}

// FromLine returns the node of a value that OneLine wrote, at a line.
func FromLine(value string, line int) *yaml.Node {
	node, _, err := Parse([]byte(value))
	if err != nil {
		node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	}
	node.Line = line
	return node
}
