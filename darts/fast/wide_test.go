package fast_test

import (
	"fmt"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// wideOf makes the wide form of plain, which has those sizes.
func wideOf(t testing.TB, plain *darts.Plain, o darts.Options) *fast.Wide {
	t.Helper()
	o.Dtype = torch.Float64
	wide := wideIn(t, o)
	if err := wide.LoadStateDict(plain.StateDict()); err != nil {
		t.Fatal(err)
	}
	return wide
}

// wideIn makes a network in the wide form.
func wideIn(t testing.TB, o darts.Options) *fast.Wide {
	t.Helper()
	wide, err := fast.NewWide(o)
	if err != nil {
		t.Fatal(err)
	}
	return wide
}

func TestWideEqualsPlain(t *testing.T) {
	// The wide form gives the plain form's gradients and running statistics whatever the sizes and operations are.
	for _, row := range allSizes(testing.Short()) {
		t.Run(row.name, func(t *testing.T) {
			torchtest.Scope(t)
			o := sizes()
			row.change(&o)
			plain, _ := bothForms(t, o)
			wide := wideOf(t, plain, o)
			b := randomBatch(o, row.n, row.h, row.w)
			if why := wide.FallbackReason(row.h, row.w); why != "" {
				t.Fatalf("not in the wide form: %s", why)
			}
			for _, need := range allNeeds {
				compareGrad(t, plain, wide, plain.Gradients(plain.W(), b, need), wide.Gradients(wide.W(), b, need))
			}
		})
	}
}

func TestWideElsewhere(t *testing.T) {
	// Gradients at another vector equal the plain form's, leave w as it is, and are the same to the last bit each time.
	torchtest.Scope(t)
	plain, _ := bothForms(t, sizes())
	wide := wideOf(t, plain, sizes())
	b := randomBatch(sizes(), 4, 8, 8)
	before := wide.W().Detach().Clone()
	other := before.AddScalar(0.01)
	need := darts.Need{W: true, Alphas: true, FreezeStatistics: true}
	got := wide.Gradients(other, b, need)
	compareGrad(t, plain, wide, plain.Gradients(other, b, need), got)
	torchtest.Close(t, "w", wide.W().Detach(), before, 0)
	again := wide.Gradients(other, b, need)
	torchtest.Close(t, "gradient again", again.W, got.W, 0)
	torchtest.Close(t, "gradient of alpha again", again.Alphas[0], got.Alphas[0], 0)
}

func TestWideIsFlat(t *testing.T) {
	// Gradients leaves no tensor but its result.
	torchtest.Scope(t)
	plain, _ := bothForms(t, sizes())
	wide := wideOf(t, plain, sizes())
	b := randomBatch(sizes(), 4, 8, 8)
	before := torch.Live()
	g := wide.Gradients(wide.W(), b, darts.Need{W: true, Alphas: true})
	if after, want := torch.Live(), before+3+len(g.Alphas); after != want {
		t.Errorf("%d live tensors after Gradients, want %d", after, want)
	}
}

func TestWideFallsBack(t *testing.T) {
	// The plain form runs, to the last bit, when a reduction cell would meet an odd side or the pass is in bfloat16.
	torchtest.Scope(t)
	o := sizes()
	only(genotype.SepConv3x3)(&o)
	plain, _ := bothForms(t, o)
	wide := wideOf(t, plain, o)
	if why, want := wide.FallbackReason(8, 6), "images of 8x6 reach the reduction in cell 2 as 4x3, an odd side"; why != want {
		t.Errorf("8x6 images: got %q, want %q", why, want)
	}
	for _, test := range []struct {
		w    int
		need darts.Need
	}{{6, darts.Need{W: true, Alphas: true}}, {8, darts.Need{W: true, BFloat16: true}}} {
		b := randomBatch(o, 3, 8, test.w)
		want, got := plain.Gradients(plain.W(), b, test.need), wide.Gradients(wide.W(), b, test.need)
		torchtest.Close(t, "gradient of w", got.W, want.W, 0)
	}
}

// operators counts the operators of a pass for all gradients in the wide form.
func operators(t *testing.T, o darts.Options, n, side int) (count int) {
	t.Helper()
	wide, b := wideIn(t, o), randomBatch(o, n, side, side)
	b.X = b.X.ToDtype(torch.Float32) // libtorch splits convolutions up in float64
	for _, of := range torch.CountAsGPU(func() { wide.Gradients(wide.W(), b, darts.Need{W: true, Alphas: true}) }) {
		count += of.Calls
	}
	return count
}

func TestWideOperators(t *testing.T) {
	// A pass for all gradients of the paper's network takes at most 3,000 operators, as many whatever the sizes.
	torchtest.Scope(t)
	o := darts.Options{Channels: 2, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3}
	count := operators(t, o, 2, 8)
	t.Logf("%d operators", count)
	if count > 3000 {
		t.Errorf("%d operators, want at most 3000", count)
	}
	o.Channels = 6
	if other := operators(t, o, 3, 16); other != count {
		t.Errorf("%d operators for larger sizes, %d for small ones", other, count)
	}
}

func TestChoose(t *testing.T) {
	// The wide form is chosen for GPUs, the fast form for CPUs, and the plain form where there are no formulas.
	torchtest.Scope(t)
	form := func(o darts.Options) string {
		net, why, err := fast.Choose(o, 8, 8)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%T %s", net, why)
	}
	if got, want := form(sizes()), "*fast.Supernet "; got != want {
		t.Errorf("on a CPU %q, want %q", got, want)
	}
	partial := sizes()
	partial.Partial = 2
	torch.CountAsGPU(func() {
		if got, want := form(sizes()), "*fast.Wide "; got != want {
			t.Errorf("on a GPU %q, want %q", got, want)
		}
		if got, want := form(partial), "*darts.Plain the fast form has no partial channels, edge normalisation or skip dropout"; got != want {
			t.Errorf("partial channels on a GPU %q, want %q", got, want)
		}
	})
}

func TestWideRefuses(t *testing.T) {
	// There is no wide form of partial channels.
	torchtest.Scope(t)
	o := sizes()
	o.Channels, o.Partial = 8, 4
	if _, err := fast.NewWide(o); err == nil || err.Error() != "darts: supernet: the fast form has no partial channels, edge normalisation or skip dropout" {
		t.Errorf("got error %v", err)
	}
}
