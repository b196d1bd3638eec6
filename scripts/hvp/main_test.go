package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"godarts/nas/data"
	"godarts/torch"
)

// small are flags of a measurement that takes seconds.
var small = []string{"--data", "digits", "--channels", "2", "--layers", "3", "--batch", "6", "--float32-batch", "6", "--steps", "1", "--radius", "0.1,1e-7"}

func TestRun(t *testing.T) {
	// The tables have a row for each moment, radius and form when a measurement is done.
	var out bytes.Buffer
	if err := run(small, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"digits, 2 channels, 3 cells, seed 2, libtorch ",
		"| 0 | double backward |", "| 0 | radius 0.1 |", "| 0 | radius 1e-07 |", "| 0 | plain |",
		"| 1 | double backward |", "| 1 | radius 0.1 |", "| 1 | radius 1e-07 |", "| 1 | plain |",
	} {
		if !strings.Contains(out.String(), "\n"+want) && !strings.HasPrefix(out.String(), want) {
			t.Errorf("no line begins with %q in\n%s", want, out.String())
		}
	}
}

func TestMeasure(t *testing.T) {
	// The shortest radius agrees with the exact product and float32 roughly with float64 when both see the same weights and images.
	o, err := parse(small, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := data.Open(o.data, "")
	if err != nil {
		t.Fatal(err)
	}
	err = torch.Do(func() error {
		moments, err := measure(o, set)
		if err != nil {
			return err
		}
		for _, m := range moments {
			long, short := compare(m.differences[0].product, m.exact.product), compare(m.differences[1].product, m.exact.product)
			if short.error > 1e-6 || long.error < 1e-3 {
				t.Errorf("step %d: errors %g at radius 0.1, %g at 1e-7", m.step, long.error, short.error)
			}
			// α's gradient of Eq. 7 is linear in the product, with ξ before it.
			for i, want := range m.exact.gradient {
				got := m.differences[0].gradient[i] + settings.W.LR*(m.differences[0].product[i]-m.exact.product[i])
				if math.Abs(got-want) > 1e-12 {
					t.Fatalf("step %d: gradient %d is %g with the exact product, want %g", m.step, i, want, got)
				}
			}
			if p := m.precisions[0]; p.first.error > 1e-4 || p.first.error == 0 || p.quotient.error == 0 {
				t.Errorf("step %d: float32 is off by %g and %g", m.step, p.first.error, p.quotient.error)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCompare(t *testing.T) {
	// Error, ratio and cosine are the known ones when vectors are short.
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
	// One line says what is wanted when a flag is wrong.
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
		if err := run(test.args, &bytes.Buffer{}); err == nil || err.Error() != test.want {
			t.Errorf("%q: error %v, want %s", test.args, err, test.want)
		}
	}
}
