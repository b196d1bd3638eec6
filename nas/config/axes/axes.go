// Package axes holds the values of the keys of a sweep: which keys differ between its runs, their seeds, and the rungs of
// successive halving. They read and write their own YAML.
package axes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"godarts/nas/config/document"
	"godarts/nas/names"
)

// Axes are the keys that differ between the runs of a sweep.
type Axes struct {
	Grid []Axis     // in the order of the file
	List [][]Choice // where the runs are listed
}

// Axis is a key and the values that it takes: a list, or a range.
type Axis struct {
	Key    string
	Values []string // as YAML reads them
	From   float64
	To     float64
	Log    bool // values are drawn uniformly in their logarithm

	Line int // in its file, for errors
}

// Choice is a value chosen for a key.
type Choice struct {
	Key, Value string // Value is as YAML reads it

	Line int // in its file, for errors
}

// Equal reports whether a and b are the same, wherever they are written.
func (a Axes) Equal(b Axes) bool { return document.OneLine(a.Encode()) == document.OneLine(b.Encode()) }

const wantAxes = "keys, each with a list of values or a range {from: A, to: B}; or a list of runs, each with keys and values"

// Wanted returns which values the key takes.
func (a *Axes) Wanted() string { return wantAxes }

// Decode reads the value in node. If it is no value of the key, it returns what is wanted.
func (a *Axes) Decode(node *yaml.Node) (want string) {
	*a = Axes{}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			axis := Axis{Key: node.Content[i].Value, Line: node.Content[i].Line}
			if slices.ContainsFunc(a.Grid, func(other Axis) bool { return other.Key == axis.Key }) {
				return fmt.Sprintf("%s, each once; %s is there twice", wantAxes, names.Print(axis.Key))
			}
			if want := axis.decode(node.Content[i+1]); want != "" {
				return fmt.Sprintf("%s; that of %s is %s", want, names.Print(axis.Key), document.Given(node.Content[i+1]))
			}
			a.Grid = append(a.Grid, axis)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			if item.Kind != yaml.MappingNode {
				return fmt.Sprintf("%s; item %d is %s", wantAxes, i+1, document.Given(item))
			}
			var settings []Choice
			for j := 0; j < len(item.Content); j += 2 {
				settings = append(settings, Choice{item.Content[j].Value, document.OneLine(item.Content[j+1]), item.Content[j].Line})
			}
			a.List = append(a.List, settings)
		}
	default:
		return wantAxes
	}
	return ""
}

// decode reads the values of an axis.
func (a *Axis) decode(node *yaml.Node) (want string) {
	switch node.Kind {
	case yaml.SequenceNode:
		for _, value := range node.Content {
			a.Values = append(a.Values, document.OneLine(value))
		}
		if len(a.Values) > 0 {
			return ""
		}
	case yaml.MappingNode:
		of := map[string]*yaml.Node{}
		for i := 0; i < len(node.Content); i += 2 {
			of[node.Content[i].Value] = node.Content[i+1]
		}
		scale := "linear"
		if node := of["scale"]; node != nil {
			scale = node.Value
		}
		a.Log = scale == "log"
		delete(of, "scale")
		if len(of) == 2 && of["from"] != nil && of["to"] != nil && (a.Log || scale == "linear") {
			var errs [2]error
			a.From, errs[0] = strconv.ParseFloat(of["from"].Value, 64)
			a.To, errs[1] = strconv.ParseFloat(of["to"].Value, 64)
			if cmp.Or(errs[:]...) == nil && a.From < a.To && (a.From > 0 || !a.Log) {
				return ""
			}
		}
		return "a range {from: A, to: B, scale: linear or log} with numbers A < B, both above 0 on the scale log"
	}
	return "a list of values or a range {from: A, to: B}"
}

// Encode returns the node that Decode reads back.
func (a *Axes) Encode() *yaml.Node {
	all := &yaml.Node{Kind: yaml.SequenceNode}
	for _, settings := range a.List {
		item := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, s := range settings {
			item.Content = append(item.Content, key(s.Key), document.FromLine(s.Value, 0))
		}
		all.Content = append(all.Content, item)
	}
	if len(a.List) > 0 {
		return all
	}
	all.Kind = yaml.MappingNode
	for _, axis := range a.Grid {
		values := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, v := range axis.Values {
			values.Content = append(values.Content, document.FromLine(v, 0))
		}
		if len(axis.Values) == 0 {
			scale := map[bool]string{false: "linear", true: "log"}[axis.Log]
			from, to := strconv.FormatFloat(axis.From, 'g', -1, 64), strconv.FormatFloat(axis.To, 'g', -1, 64)
			values = document.FromLine(fmt.Sprintf("{from: %s, to: %s, scale: %s}", from, to, scale), 0)
		}
		all.Content = append(all.Content, key(axis.Key), values)
	}
	if len(all.Content) == 0 {
		all.Style = yaml.FlowStyle
	}
	return all
}

// Schema returns the JSON Schema of the values of the key.
func (a *Axes) Schema() string {
	return `{"anyOf": [{"type": "object", "additionalProperties": {"anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "required": ["from", "to"]}]}},
		{"type": "array", "items": {"type": "object"}}]}`
}

// key returns the node of a key.
func key(path string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: path} }

// Seeds are the seeds of each run of a sweep: Count of them, or those of List.
type Seeds struct {
	Count int
	List  []int64
}

const wantSeeds = "a number of seeds, 1 to 1000, or a list of different seeds, each 0 or more"

// Wanted returns which values the key takes.
func (s *Seeds) Wanted() string { return wantSeeds }

// Decode reads the value in node. If it is no value of the key, it returns what is wanted.
func (s *Seeds) Decode(node *yaml.Node) (want string) {
	*s = Seeds{}
	if node.Kind == yaml.ScalarNode {
		n, err := strconv.Atoi(node.Value)
		if err != nil || n < 1 || n > 1000 {
			return wantSeeds
		}
		s.Count = n
		return ""
	}
	var ok bool
	s.List, ok = wholeNumbers(node, 0)
	if sorted := slices.Sorted(slices.Values(s.List)); !ok || len(slices.Compact(sorted)) < len(s.List) || len(s.List) > 1000 {
		return wantSeeds
	}
	return ""
}

// Encode returns the node that Decode reads back.
func (s *Seeds) Encode() *yaml.Node {
	if len(s.List) == 0 {
		return document.FromLine(strconv.Itoa(s.Count), 0)
	}
	return document.FromLine(strings.ReplaceAll(fmt.Sprint(s.List), " ", ", "), 0)
}

// Schema returns the JSON Schema of the values of the key.
func (s *Seeds) Schema() string {
	return `{"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}`
}

// Of returns the seeds of runs whose base has the seed first.
func (s *Seeds) Of(first int64) (all []int64) {
	if len(s.List) > 0 {
		return s.List
	}
	for i := range int64(s.Count) {
		all = append(all, first+i)
	}
	return all
}

// Rungs are the epochs after which runs are compared, in rising order.
type Rungs []int

const wantRungs = "a list of rising whole numbers, 1 or more"

// Wanted returns which values the key takes.
func (r *Rungs) Wanted() string { return wantRungs }

// Decode reads the value in node. If it is no value of the key, it returns what is wanted.
func (r *Rungs) Decode(node *yaml.Node) (want string) {
	*r = nil
	if node.Kind == yaml.SequenceNode && len(node.Content) == 0 {
		return ""
	}
	numbers, ok := wholeNumbers(node, 1)
	for i, n := range numbers {
		ok = ok && (i == 0 || n > numbers[i-1]) && n < 1<<31
		*r = append(*r, int(n))
	}
	if !ok {
		return wantRungs
	}
	return ""
}

// Encode returns the node that Decode reads back.
func (r *Rungs) Encode() *yaml.Node {
	node := document.FromLine(strings.ReplaceAll(fmt.Sprint([]int(*r)), " ", ", "), 0)
	node.Style = yaml.FlowStyle
	return node
}

// Schema returns the JSON Schema of the values of the key.
func (r *Rungs) Schema() string { return `{"type": "array", "items": {"type": "integer"}}` }

// wholeNumbers reads a list of one or more whole numbers, each at least least.
func wholeNumbers(node *yaml.Node, least int64) (numbers []int64, ok bool) {
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		return nil, false
	}
	for _, item := range node.Content {
		n, err := strconv.ParseInt(item.Value, 10, 64)
		if err != nil || n < least || item.Kind != yaml.ScalarNode {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}
