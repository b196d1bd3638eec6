package torchtest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"godarts/torch"
)

// value makes an argument. What several arguments share they find in pool, which is a case's own.
type value struct {
	label string
	make  func(*pool) reflect.Value
}

type pool struct {
	shared    torch.Tensor
	arguments []any
}

// hostileValues makes arguments by their type.
type hostileValues struct {
	given, wrong map[reflect.Type][]value
	made         map[reflect.Type]bool
	types        []reflect.Type // of given
	foreign      torch.Tensor   // of a scope of another goroutine
	busy         map[reflect.Type]bool
}

func newHostileValues(h Hostile) *hostileValues {
	v := &hostileValues{given: map[reflect.Type][]value{}, wrong: map[reflect.Type][]value{}, busy: map[reflect.Type]bool{}}
	add := func(to map[reflect.Type][]value, makers []any) {
		for i, make := range makers {
			fn := reflect.ValueOf(make)
			of := fn.Type().Out(0)
			to[of] = append(to[of], value{fmt.Sprintf("%s %d", of, i), func(*pool) reflect.Value { return fn.Call(nil)[0] }})
		}
	}
	add(v.given, h.Values)
	add(v.wrong, h.Wrong)
	v.made = map[reflect.Type]bool{}
	for _, of := range h.Made {
		v.made[reflect.TypeOf(of)] = true
	}
	for of := range v.given {
		v.types = append(v.types, of)
	}
	made := make(chan torch.Tensor)
	go func() {
		runtime.LockOSThread()
		torch.Enter()
		made <- torch.Ones([]int{2, 3}, torch.Options{})
		select {} // the scope stays open
	}()
	v.foreign = <-made
	return v
}

// fixed is a value that needs no making.
func fixed(label string, v any) value {
	return value{label, func(*pool) reflect.Value { return reflect.ValueOf(v) }}
}

// listed are values of one Go type as values of the type of.
func listed[E any](of reflect.Type, vs ...E) (all []value) {
	for _, v := range vs {
		label := fmt.Sprint(v)
		all = append(all, fixed(label[:min(len(label), 30)], reflect.ValueOf(v).Convert(of).Interface()))
	}
	return all
}

var tensorType = reflect.TypeFor[torch.Tensor]()

// sound are values of type of that some function has a use for.
func (v *hostileValues) sound(of reflect.Type) []value {
	if given := v.given[of]; given != nil && of != tensorType {
		return given
	}
	switch of.Kind() {
	case reflect.Bool:
		return listed(of, false, true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint64:
		return listed(of, 0, 1, 2)
	case reflect.Float32, reflect.Float64:
		return listed(of, 0.5, 1, 0)
	case reflect.String:
		return listed(of, "a")
	case reflect.Slice:
		return v.soundSlices(of)
	case reflect.Map:
		return []value{{"empty map", func(*pool) reflect.Value { return reflect.MakeMap(of) }}, v.mapOf(of, "a", false)}
	case reflect.Array:
		return v.arrays(of, v.sound(of.Elem()))
	case reflect.Func:
		return []value{v.function(of)}
	case reflect.Struct:
		if of == tensorType {
			return append(v.soundTensors(), v.given[of]...)
		}
		return []value{{"zero " + of.String(), func(*pool) reflect.Value { return reflect.Zero(of) }}}
	case reflect.Interface:
		var all []value
		for _, t := range v.types {
			if t.Implements(of) && of.NumMethod() > 0 {
				all = append(all, v.given[t]...)
			}
		}
		if of.NumMethod() == 0 {
			all = append(all, fixed("1", 1), value{"tensor", func(*pool) reflect.Value { return reflect.ValueOf(ones(2, 3)) }})
		}
		return all
	}
	return nil
}

// unsound are values of type of that few functions have a use for. A type that holds itself has
// no more of them inside.
func (v *hostileValues) unsound(of reflect.Type) []value {
	if v.busy[of] {
		return nil
	}
	v.busy[of] = true
	defer delete(v.busy, of)
	all := slices.Clone(v.wrong[of])
	switch of.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint64:
		return append(all, listed(of, -1, math.MinInt, math.MaxInt, 1<<40, -1<<40, 1<<31, 1<<30, 1<<16, 300, 99, 7)...)
	case reflect.Float32, reflect.Float64:
		return append(all, listed(of, math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e300, -1e300, 5e-324, math.Copysign(0, -1))...)
	case reflect.String:
		return append(all, listed(of, "", "\x00", "\xff\xfe", strings.Repeat("long", 1<<16), "a.b.c", "-1", "aten::add_.Tensor")...)
	case reflect.Slice:
		return append(all, v.unsoundSlices(of)...)
	case reflect.Map:
		return append(all, v.nothing(of), v.mapOf(of, "", true), v.mapOf(of, "a", true))
	case reflect.Array:
		return append(all, v.arrays(of, v.unsound(of.Elem()))...)
	case reflect.Func:
		return append(all, v.nothing(of),
			value{"Goexit", func(*pool) reflect.Value {
				return reflect.MakeFunc(of, func([]reflect.Value) []reflect.Value { runtime.Goexit(); return nil })
			}})
	case reflect.Struct:
		if of == tensorType {
			return append(all, v.unsoundTensors()...)
		}
		return append(all, v.fields(of, v.sound(of))...)
	case reflect.Pointer:
		if of.Elem().Kind() != reflect.Struct {
			return all
		}
		if !v.made[of] && strings.HasPrefix(packageOf(of), "godarts/") {
			all = append(all, value{"zero " + of.String(), func(*pool) reflect.Value { return reflect.New(of.Elem()) }})
		}
		return append(all, v.fields(of, v.given[of])...)
	case reflect.Interface:
		if of == reflect.TypeFor[error]() {
			return append(all, fixed("error", errors.New("an error")))
		}
		if of.NumMethod() == 0 {
			all = append(all, v.nothing(of), fixed("struct{}{}", struct{}{}), fixed("MinInt", math.MinInt), fixed("NaN", math.NaN()), fixed("text", "a"))
			return append(all, v.unsoundTensors()...)
		}
		for _, t := range v.types {
			if t.Implements(of) {
				all = append(all, v.unsound(t)...)
			}
		}
	}
	return all
}

// nothing is the zero value.
func (v *hostileValues) nothing(of reflect.Type) value {
	return value{"nil", func(*pool) reflect.Value { return reflect.Zero(of) }}
}

// fields are the structs, or pointers to structs, of from with one exported field made unsound,
// and the zero struct.
func (v *hostileValues) fields(of reflect.Type, from []value) (all []value) {
	inner := of
	if of.Kind() == reflect.Pointer {
		inner = of.Elem()
	} else {
		all = append(all, value{"zero " + of.String(), func(*pool) reflect.Value { return reflect.Zero(of) }})
	}
	if len(from) == 0 {
		return all
	}
	base := from[0]
	for i := range inner.NumField() {
		field := inner.Field(i)
		inside := field.Type
		if inside.Kind() == reflect.Slice {
			inside = inside.Elem()
		}
		if !field.IsExported() || inside.Kind() == reflect.Pointer { // pointers are parts that a New function makes
			continue
		}
		for _, wrong := range v.unsound(field.Type) {
			all = append(all, value{fmt.Sprintf("%s{%s: %s}", of, field.Name, wrong.label), func(p *pool) reflect.Value {
				made := base.make(p)
				changed := reflect.New(inner)
				if of.Kind() == reflect.Pointer {
					changed = made
				} else {
					changed.Elem().Set(made)
				}
				changed.Elem().Field(i).Set(wrong.make(p))
				if of.Kind() == reflect.Pointer {
					return changed
				}
				return changed.Elem()
			}})
		}
	}
	return all
}

// arrays are all of one element.
func (v *hostileValues) arrays(of reflect.Type, elements []value) (all []value) {
	for _, e := range elements {
		all = append(all, value{fmt.Sprintf("[%d of %s]", of.Len(), e.label), func(p *pool) reflect.Value {
			made := reflect.New(of).Elem()
			for i := range of.Len() {
				made.Index(i).Set(e.make(p))
			}
			return made
		}})
	}
	return all
}

// function returns the first sound value of each of its results.
func (v *hostileValues) function(of reflect.Type) value {
	return value{"func", func(p *pool) reflect.Value {
		return reflect.MakeFunc(of, func([]reflect.Value) (out []reflect.Value) {
			for i := range of.NumOut() {
				result := reflect.Zero(of.Out(i))
				if sound := v.sound(of.Out(i)); len(sound) > 0 && of.Out(i) != reflect.TypeFor[error]() {
					result = sound[0].make(p)
				}
				out = append(out, result.Convert(of.Out(i)))
			}
			return out
		})
	}}
}

func (v *hostileValues) mapOf(of reflect.Type, key string, unsound bool) value {
	elements := v.sound(of.Elem())
	if unsound {
		elements = v.unsound(of.Elem())
	}
	return value{fmt.Sprintf("map %q", key), func(p *pool) reflect.Value {
		made := reflect.MakeMap(of)
		if len(elements) > 0 && of.Key().Kind() == reflect.String {
			made.SetMapIndex(reflect.ValueOf(key).Convert(of.Key()), elements[0].make(p))
		}
		return made
	}}
}

// slice has n elements, in turn those of from.
func slice(label string, of reflect.Type, n int, from ...value) value {
	return value{label, func(p *pool) reflect.Value {
		made := reflect.MakeSlice(of, n, n)
		for i := range n {
			made.Index(i).Set(from[i%len(from)].make(p))
		}
		return made
	}}
}

func (v *hostileValues) soundSlices(of reflect.Type) (all []value) {
	if of.Elem() == reflect.TypeFor[int]() {
		for _, s := range [][]int{{2, 3}, {0}, {1, 0}, {6}, {3, 2}, {1}, {2}, {0, 1, 2, 3}, {1, 2, 2, 2}} {
			all = append(all, listed(of, s)...)
		}
		return append(all, v.nothing(of))
	}
	sound := v.sound(of.Elem())
	if len(sound) == 0 {
		return []value{v.nothing(of)}
	}
	return []value{slice("1 sound", of, 1, sound[0]), slice("6 sound", of, 6, sound[0]), slice("each sound", of, len(sound), sound...), v.nothing(of)}
}

func (v *hostileValues) unsoundSlices(of reflect.Type) (all []value) {
	all = append(all, v.nothing(of), slice("empty", of, 0))
	if of.Elem() == reflect.TypeFor[int]() {
		for _, s := range [][]int{{-1}, {-1, -1}, {math.MinInt}, {math.MaxInt}, {1 << 40}, {1 << 32, 1 << 32}, {1 << 40, 0},
			{math.MaxInt, math.MaxInt, math.MaxInt}, {0, 0}, {99}, {-3, 1 << 40}, {1 << 24}, {300, 300}} {
			all = append(all, listed(of, s)...)
		}
		return append(all, slice("300 ones", of, 300, listed(of.Elem(), 1)...))
	}
	sound, unsound := v.sound(of.Elem()), v.unsound(of.Elem())
	for _, u := range unsound {
		all = append(all, slice("["+u.label+"]", of, 1, u))
		if len(sound) > 0 {
			all = append(all, slice("[sound, "+u.label+"]", of, 2, sound[0], u))
		}
	}
	if len(sound) > 0 {
		all = append(all, slice("300 sound", of, 300, sound[0]))
	}
	return all
}
