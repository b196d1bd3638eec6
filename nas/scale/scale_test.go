package scale_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/nas/scale"
)

// mobile is the network of the literature's mobile setting.
var mobile = cells.NetworkOptions{Classes: 1000, InputChannels: 3, ImageNet: true, StemMultiplier: 3}

func lookup(t *testing.T, name string) genotype.Genotype {
	t.Helper()
	g, err := genotype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFillMobile(t *testing.T) {
	// With 14 layers at 224x224 and under 600 million multiply-adds DARTS_V2 gets 50 channels, two more than in its paper, where it has 529.9 million.
	all, err := scale.Fill(lookup(t, "DARTS_V2"), mobile, scale.Budget{MultiplyAdds: 600e6}, []int{14}, []int{224})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if all[0].Channels != 50 || all[0].MultiplyAdds > 600e6 {
		t.Errorf("%+v", all[0])
	}
	all, err = scale.Fill(lookup(t, "DARTS_V2"), mobile, scale.Budget{MultiplyAdds: 530e6}, []int{14}, []int{224})
	if err != nil || all[0].Channels != 48 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestFillIsTight(t *testing.T) {
	// What Fill finds meets the budget, and two channels more do not, when cells and budgets are any.
	space := darts.FullSpace(4)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		g := space.Sample(r)
		b := scale.Budget{MultiplyAdds: 20e6 + r.Int64N(600e6)}
		if r.IntN(2) == 0 {
			b.Parameters = 200e3 + r.Int64N(5e6)
		}
		o := cells.NetworkOptions{Classes: 10, InputChannels: 3, StemMultiplier: 3}
		all, err := scale.Fill(g, o, b, []int{5, 8, 20}, []int{32, 64})
		if err != nil {
			t.Fatal(err)
		}
		fits := func(s scale.Size, channels int) bool {
			o := o
			o.Channels, o.Layers, o.Size = channels, s.Layers, s.Side
			parameters, multiplyAdds := o.Count(g)
			return multiplyAdds <= b.MultiplyAdds && (b.Parameters == 0 || parameters <= b.Parameters)
		}
		for _, s := range all {
			if !fits(s, s.Channels) || fits(s, s.Channels+2) {
				t.Errorf("%+v with budget %+v", s, b)
			}
		}
	}
}

func TestCompound(t *testing.T) {
	// Compound scaling grows all three sizes together, keeps the base at φ 0, and stops at the budget.
	base := mobile
	base.Channels, base.Layers, base.Size = 48, 14, 224
	g := lookup(t, "DARTS_V2")
	all, err := scale.Compound(g, base, scale.Budget{MultiplyAdds: 2e9})
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for i, s := range all {
		if s.Phi == 0 {
			seen = s.Channels == 48 && s.Layers == 14 && s.Side == 224
		}
		if i > 0 && (s.Channels < all[i-1].Channels || s.Layers < all[i-1].Layers || s.Side < all[i-1].Side || s.MultiplyAdds > 2e9) {
			t.Errorf("%+v after %+v", s, all[i-1])
		}
	}
	if !seen || scale.Best(all) != len(all)-1 {
		t.Errorf("%+v", all)
	}
	// A step of 1 in φ doubles the multiply-adds, but for rounding.
	at := map[float64]int64{}
	for _, s := range all {
		at[s.Phi] = s.MultiplyAdds
	}
	if ratio := float64(at[1]) / float64(at[0]); ratio < 1.7 || ratio > 2.4 {
		t.Errorf("φ 1 has %.2f times the multiply-adds of φ 0", ratio)
	}
}

func TestNoneFits(t *testing.T) {
	// A budget that no network meets, and sizes that none has, are errors.
	g := lookup(t, "DARTS_V2")
	if _, err := scale.Fill(g, mobile, scale.Budget{MultiplyAdds: 1e6}, []int{14}, []int{224}); err == nil || !strings.Contains(err.Error(), "meets the budget") {
		t.Errorf("budget: %v", err)
	}
	if _, err := scale.Fill(g, mobile, scale.Budget{MultiplyAdds: 1e9}, []int{14}, []int{33}); err == nil || !strings.Contains(err.Error(), "images of 33x33") {
		t.Errorf("size: %v", err)
	}
}

func TestConfigReads(t *testing.T) {
	// The config of a network reads, and trains the cell in that network, with either stem.
	g := lookup(t, "PCDARTS")
	for _, base := range []cells.NetworkOptions{mobile, {Classes: 10, InputChannels: 3, StemMultiplier: 3}} {
		s := scale.Size{Channels: 20, Layers: 8, Side: 224}
		if !base.ImageNet {
			s.Side = 48
		}
		c, err := config.Parse("scaled.yaml", []byte(scale.Config(g, "a\nname", base, s)))
		if err != nil {
			t.Fatal(err)
		}
		if c.Network.Channels != 20 || c.Network.Layers != 8 || c.Data.Size != s.Side || c.Genotype != g.String() || c.Network.Auxiliary != base.ImageNet {
			t.Errorf("%+v", c)
		}
	}
}
