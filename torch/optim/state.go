package optim

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"godarts/torch"
)

// update runs one step over every parameter without a graph, in a scope of its
// own, after begin unless that is nil. It first checks that each parameter has a gradient of its shape, type and
// device: libtorch would broadcast, or stop half-way.
func update(name string, parameters, grads []torch.Tensor, begin func(), step func(i int, p, g torch.Tensor)) {
	if len(grads) != len(parameters) {
		misuse(name, "%d gradients for %d parameters", len(grads), len(parameters))
	}
	for i, p := range parameters {
		g := grads[i]
		if !g.Defined() {
			misuse(name, "no gradient for parameter %d", i)
		}
		if ps, gs := p.Shape(), g.Shape(); !slices.Equal(ps, gs) {
			misuse(name, "gradient %d has shape %v, its parameter %v", i, gs, ps)
		}
		if po, g := p.Options(), g.Options(); po != g {
			misuse(name, "gradient %d is %s on %s, its parameter %s on %s", i, g.Dtype, g.Device, po.Dtype, po.Device)
		}
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			if begin != nil {
				begin()
			}
			for i, p := range parameters {
				step(i, p, grads[i])
			}
		})
	})
}

// decayed is g + wd·p, or g itself without weight decay.
func decayed(g, p torch.Tensor, weightDecay float64) torch.Tensor {
	if weightDecay == 0 {
		return g
	}
	return g.AddScaled(p, weightDecay)
}

func misuse(name, format string, args ...any) {
	torch.Misuse("optim."+name, format, args...)
}

// must panics with what a check of options found.
func must(name string, err error) {
	if err != nil {
		misuse(name, "%s", err)
	}
}

// setting is one number of an optimizer's options.
type setting struct {
	name  string
	value float64
}

// notNegative finds the first setting below zero, infinite or not a number.
func notNegative(settings ...setting) error {
	for _, s := range settings {
		if !(s.value >= 0) || math.IsInf(s.value, 1) {
			return fmt.Errorf("%s is %g, want a number that is 0 or more", s.name, s.value)
		}
	}
	return nil
}

// pow is x^y by the pow of libtorch and the C library, as in PyTorch's Python:
// Go's own can differ in the last bit.
func pow(x float64, y torch.Tensor) torch.Tensor { return torch.Call("aten::pow.Scalar", x, y)[0] }

// indexed adds ts under name.0, name.1, ... to sd.
func indexed(sd torch.StateDict, name string, ts []torch.Tensor) {
	for i, t := range ts {
		sd[fmt.Sprintf("%s.%d", name, i)] = t
	}
}

// withNumbers adds numbers to buffers as float64 tensors without dimensions.
func withNumbers(buffers torch.StateDict, numbers map[string]float64) torch.StateDict {
	for name, v := range numbers {
		buffers[name] = torch.Scalar(v, torch.Options{Dtype: torch.Float64})
	}
	return buffers
}

// load reads what withNumbers gave. It hands the numbers to accept, and
// overwrites buffers if names and shapes fit and accept returns no error.
func load(optimizer string, buffers torch.StateDict, numbers map[string]float64, sd torch.StateDict,
	accept func(map[string]float64) error) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("optim: load state dict of %s: %s", optimizer, fmt.Sprintf(format, args...))
	}
	want := map[string][]int{}
	for name, b := range buffers {
		want[name] = b.Shape()
	}
	for name := range numbers {
		want[name] = nil
	}
	if wrong := mismatches(want, sd); len(wrong) > 0 {
		return fail("%s", strings.Join(wrong, "; "))
	}
	read := map[string]float64{}
	for name := range numbers {
		read[name] = sd[name].Item()
	}
	if err := accept(read); err != nil {
		return fail("%s", err)
	}
	torch.NoGrad(func() {
		for name, b := range buffers {
			b.Copy_(sd[name])
		}
	})
	return nil
}

// maxMismatches keeps an error about a foreign state dict on one readable line.
const maxMismatches = 4

// mismatches describes how sd departs from the wanted names and shapes.
func mismatches(want map[string][]int, sd torch.StateDict) []string {
	var missing, unexpected, shapes []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t, ok := sd[name]
		if !ok || !t.Defined() {
			missing = append(missing, fmt.Sprintf("%q is missing", name))
		} else if got := t.Shape(); !slices.Equal(got, want[name]) {
			shapes = append(shapes, fmt.Sprintf("%q has shape %v, want %v", name, got, want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sd)) {
		if _, ok := want[name]; !ok {
			unexpected = append(unexpected, fmt.Sprintf("%q is unexpected", name))
		}
	}
	all := slices.Concat(missing, unexpected, shapes)
	if n := len(all) - maxMismatches; n > 0 {
		all = append(all[:maxMismatches], fmt.Sprintf("and %d more", n))
	}
	return all
}
