package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"godarts/nas/config/document"
	"godarts/nas/home"
	"godarts/nas/names"
)

// set decodes v into k's field of c and checks it.
func (k *key) set(c *Config, v located) error {
	return k.edit(c, func(field reflect.Value) error {
		if want := decode(v.node, field); want != "" {
			return fmt.Errorf("config: %v: %s: given %s, want %s", v.origin, k.path, document.Given(v.node), want)
		}
		if k.pathOf != "" {
			path, err := home.Expand(field.String())
			if err != nil {
				return fmt.Errorf("config: %v: %s: %w", v.origin, k.path, err)
			}
			field.SetString(path)
		}
		if want := k.check(field); want != "" {
			return fmt.Errorf("config: %v: %s: given %s, want %s", v.origin, k.path, shown(field), want)
		}
		return nil
	})
}

// shown prints a decoded value for an error.
func shown(field reflect.Value) string {
	if field.Kind() == reflect.String {
		return names.Quote(field.String(), 40)
	}
	return names.Print(format(field))
}

// decode stores the YAML value in field. For a value of another type it returns what is wanted.
//
// It reads numbers itself: the YAML library takes 010 for eight, .inf for a number, and 1_0 for ten.
func decode(node *yaml.Node, field reflect.Value) (want string) {
	if l := leafOf(field); l != nil {
		if want := l.Decode(node); want != "" {
			return want
		}
		field.Set(reflect.ValueOf(l).Elem())
		return ""
	}
	switch field.Kind() {
	case reflect.String:
		if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
			return "text (in quotes if it looks like something else)"
		}
		field.SetString(node.Value)
	case reflect.Bool:
		if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
			return "true or false"
		}
		field.SetBool(strings.EqualFold(node.Value, "true"))
	case reflect.Int:
		return decodeInt(node, field, math.MaxInt32) // products of sizes then fit an int
	case reflect.Int64:
		return decodeInt(node, field, math.MaxInt64)
	case reflect.Float64:
		return decodeFloat(node, field)
	case reflect.Array:
		return decodeArray(node, field)
	case reflect.Slice:
		return decodeList(node, field)
	default:
		panic("config: no decoder for " + field.Type().String())
	}
	return ""
}

// decodeList stores a list of texts, or a list of such lists.
func decodeList(node *yaml.Node, field reflect.Value) (want string) {
	of := field.Type().Elem()
	want = "a list of texts"
	if of.Kind() == reflect.Slice {
		want = "a list of lists of texts"
	}
	if node.Kind != yaml.SequenceNode {
		return want
	}
	list := reflect.Zero(field.Type())
	for i, n := range node.Content {
		item := reflect.New(of).Elem()
		if wrong := decode(n, item); wrong != "" {
			return fmt.Sprintf("%s; item %d is %s", want, i+1, document.Given(n))
		}
		list = reflect.Append(list, item)
	}
	field.Set(list) // nil if it is empty, as a default is
	return ""
}

// decodeArray stores a list of two or three numbers; one number stands for three equal ones.
func decodeArray(node *yaml.Node, field reflect.Value) (want string) {
	want = "a list of two numbers"
	if field.Len() == 3 {
		want = "a number, or a list of three numbers"
		if node.Kind == yaml.ScalarNode {
			node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node, node, node}}
			if number := decode(node.Content[0], field.Index(0)); number != "" {
				return want
			}
		}
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) != field.Len() {
		return want
	}
	for i, n := range node.Content {
		if number := decode(n, field.Index(i)); number != "" {
			return fmt.Sprintf("%s; number %d is %s", want, i+1, document.Given(n))
		}
	}
	return ""
}

func decodeInt(node *yaml.Node, field reflect.Value, limit int64) (want string) {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" && node.ShortTag() != "!!float" {
		return "a whole number"
	}
	n, err := strconv.ParseInt(node.Value, 10, 64)
	switch {
	case err != nil:
		return fmt.Sprintf("a whole number, at most %d, in decimal digits", limit)
	case n > limit || n < -limit:
		return fmt.Sprintf("a whole number, at most %d", limit)
	}
	field.SetInt(n)
	return ""
}

func decodeFloat(node *yaml.Node, field reflect.Value) (want string) {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" && node.ShortTag() != "!!float" {
		return "a number"
	}
	x, err := strconv.ParseFloat(node.Value, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) || strings.ContainsAny(node.Value, "xX_") {
		return "a finite decimal number"
	}
	field.SetFloat(x + 0) // turns -0 into 0, which is how it reads back
	return ""
}

// check returns what is wanted of a value of the right type, an empty text if the value is good.
func (k *key) check(field reflect.Value) (want string) {
	oneOf := k.oneOf()
	switch {
	case field.Kind() == reflect.Slice:
		return k.checkItems(field, oneOf)
	case len(oneOf) > 0 && !slices.Contains(oneOf, format(field)):
		return strings.Join(oneOf, " or ")
	case k.nonEmpty && strings.TrimSpace(field.String()) == "":
		return "text"
	case k.interval == nil:
		return ""
	}
	var numbers []float64
	switch field.Kind() {
	case reflect.Int, reflect.Int64:
		numbers = []float64{float64(field.Int())}
	case reflect.Float64:
		numbers = []float64{field.Float()}
	case reflect.Array:
		for i := range field.Len() {
			if x := field.Index(i); x.CanInt() {
				numbers = append(numbers, float64(x.Int()))
			} else {
				numbers = append(numbers, x.Float())
			}
		}
	}
	for _, x := range numbers {
		if k.most > 0 && x > float64(k.most) {
			return fmt.Sprintf("at most %d", k.most)
		}
		if k.interval.contains(x) {
			continue
		}
		want := k.interval.String()
		if k.why != "" {
			want += ": " + k.why
		}
		if len(numbers) > 1 {
			want = map[int]string{2: "two", 3: "three"}[len(numbers)] + " numbers in " + want
		}
		return want
	}
	if k.even != "" && field.Int()%2 != 0 {
		return "an even number: " + k.even
	}
	return ""
}

// checkItems does what check does, for the texts in a list, or in the lists in it.
func (k *key) checkItems(list reflect.Value, oneOf []string) (want string) {
	for i := range list.Len() {
		item := list.Index(i)
		if item.Kind() == reflect.Slice {
			if want := k.checkItems(item, oneOf); want != "" {
				return want
			}
		} else if len(oneOf) > 0 && !slices.Contains(oneOf, item.String()) {
			near := names.Nearest(item.String(), oneOf)
			return fmt.Sprintf("%s in place of %s (nearest: %s)", listed(oneOf), names.Quote(item.String(), 40), near)
		}
	}
	return ""
}
