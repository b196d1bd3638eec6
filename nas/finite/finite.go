// Package finite writes JSON, which cannot represent NaN and infinities. Its errors name the
// field that has such a value.
package finite

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Marshal is json.Marshal.
func Marshal(v any) ([]byte, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// Indented is json.MarshalIndent by two spaces, with a newline at the end.
func Indented(v any) ([]byte, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// Check returns an error that names the first field of v that is not finite, by its path in
// JSON.
func Check(v any) error {
	if path, x := find(reflect.ValueOf(v)); path != nil {
		slices.Reverse(path)
		return fmt.Errorf("%s is %g, which JSON cannot hold", strings.TrimPrefix(strings.Join(path, ""), "."), x)
	}
	return nil
}

// find returns the first number in v that is not finite, and the path to it, last part first.
// The path is nil if there is none.
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

// part returns the part of a path for a field, which is empty for an embedded one.
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
