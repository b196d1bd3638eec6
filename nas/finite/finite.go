// Package finite writes JSON, which has no word for NaN and for infinities: its errors name
// the field that is none of its numbers.
package finite

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Marshal is json.Marshal of v.
func Marshal(v any) ([]byte, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// Indented is json.MarshalIndent of v, by two spaces, with a line's end.
func Indented(v any) ([]byte, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// Check is an error that names the first field of v, by its path in JSON, that is not finite.
func Check(v any) error {
	if path, x := find(reflect.ValueOf(v)); path != nil {
		slices.Reverse(path)
		return fmt.Errorf("%s is %g, which JSON cannot hold", strings.TrimPrefix(strings.Join(path, ""), "."), x)
	}
	return nil
}

// find gives the number in v that is not finite and the path to it, last part first. The path
// is nil if there is none.
func find(v reflect.Value) (path []string, x float64) {
	within := func(part string, v reflect.Value) bool {
		if path, x = find(v); path != nil {
			path = append(path, part)
		}
		return path != nil
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if x = v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			return []string{""}, x
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return find(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if within(fmt.Sprintf("[%d]", i), v.Index(i)) {
				return path, x
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if within(fmt.Sprintf(".%v", key), v.MapIndex(key)) {
				return path, x
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if within(part(v.Type().Field(i)), v.Field(i)) {
				return path, x
			}
		}
	}
	return nil, 0
}

// part is what the path has of a field: nothing of one that is embedded.
func part(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name != "":
		return "." + name
	case f.Anonymous:
		return ""
	}
	return "." + f.Name
}
