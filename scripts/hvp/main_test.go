package main

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"godarts/darts"
	"godarts/nas/config"
	"godarts/nas/data/sets"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// small are the flags of a measurement that takes seconds.
var small = []string{"--form", "plain", "--data", "digits", "--channels", "2", "--layers", "3", "--batch", "6", "--float32-batch", "6", "--steps", "1", "--radius", "0.1,1e-7"}

func TestMeasure(t *testing.T) {
	// The shortest radius agrees with the exact product, float32 roughly agrees with float64, and the tables have all rows.
	if testing.Short() {
		t.Skip("-short: a measurement takes 8 s")
	}
	o, err := parse(small, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	set, err := sets.Open(o.data, "")
	if err != nil {
		t.Fatal(err)
	}
	err = torch.Do(func() error {
		moments, err := measure(o, set, io.Discard)
		if err != nil {
			return err
		}
		for _, m := range moments {
			long, short := compare(m.differences[0].product, m.exact.product), compare(m.differences[1].product, m.exact.product)
			if short.error > 1e-6 || long.error < 1e-3 {
				t.Errorf("step %d: errors %g at radius 0.1, %g at 1e-7", m.step, long.error, short.error)
			}
			if p := m.precisions[0]; p.first.error > 1e-4 || p.first.error == 0 || p.quotient.error == 0 {
				t.Errorf("step %d: float32 is off by %g and %g", m.step, p.first.error, p.quotient.error)
			}
		}
		var out bytes.Buffer
		writeProducts(&out, o, moments)
		writePrecisions(&out, o, moments)
		for _, want := range []string{
			"| 0 | double backward |", "| 0 | radius 0.1 |", "| 0 | radius 1e-07 |", "| 0 | plain |",
			"| 1 | double backward |", "| 1 | radius 0.1 |", "| 1 | radius 1e-07 |", "| 1 | plain |",
		} {
			if !strings.Contains(out.String(), "\n"+want) {
				t.Errorf("no line begins with %q in\n%s", want, out.String())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondOrder(t *testing.T) {
	// Each result has the product and the gradient of its own method when several run at once.
	torchtest.Scope(t)
	o, err := parse(small, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	set, err := sets.Open(o.data, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSearch(config.Plain, sizes(o, set, torch.Float64))
	if err != nil {
		t.Fatal(err)
	}
	b := newFeed(o, set, o.batch).at(0)
	long, short := darts.FiniteDifference{Net: s.net, Radius: 0.1}, darts.FiniteDifference{Net: s.net, Radius: 1e-7}
	got := s.secondOrder(b, long, short)
	for i, way := range []darts.Hessian{long, short} {
		want := s.secondOrder(b, way)[0]
		if e := compare(got[i].product, want.product).error; e > 1e-12 {
			t.Errorf("product %d is off by %g", i, e)
		}
		if e := compare(got[i].gradient, want.gradient).error; e > 1e-12 {
			t.Errorf("gradient %d is off by %g", i, e)
		}
	}
}

func TestCompare(t *testing.T) {
	// compare returns the known error, ratio and cosine of short vectors.
	for _, test := range []struct {
		name string
		got  []float64
		want comparison
	}{
		{"equal", []float64{3, 4}, comparison{0, 1, 1}},
		{"longer", []float64{6, 8}, comparison{1, 2, 1}},
		{"across", []float64{-4, 3}, comparison{math.Sqrt2, 1, 0}},
	} {
		got := compare(test.got, []float64{3, 4})
		for _, d := range []float64{got.error - test.want.error, got.ratio - test.want.ratio, got.cosine - test.want.cosine} {
			if math.Abs(d) > 1e-15 {
				t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
			}
		}
	}
}

func TestBadFlags(t *testing.T) {
	// The error says in one line what is wanted when a flag is wrong.
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--batch", "0"}, "--batch 0: want 1 or more"},
		{[]string{"--steps", "-1"}, "--steps -1: want 0 or more"},
		{[]string{"--radius", "0.1,0"}, "--radius 0: want more than 0"},
		{[]string{"--form", ""}, "--form: want at least one of " + strings.Join(formNames(), ", ")},
		{[]string{"--form", "other", "--data", "digits"}, "--form other: want " + strings.Join(formNames(), " or ")},
		{[]string{"x"}, `no arguments wanted, given ["x"]`},
	} {
		if err := run(test.args, io.Discard, io.Discard); err == nil || err.Error() != test.want {
			t.Errorf("%q: error %v, want %s", test.args, err, test.want)
		}
	}
}
