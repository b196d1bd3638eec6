package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestDraw(t *testing.T) {
	// Words are drawn as often as their probability at the temperature says; at 0 the likeliest is taken.
	r := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct{ temperature, want float64 }{{1, 0.75}, {0.5, 0.9}, {2, 0.634}, {0, 1}, {1e-9, 1}} {
		const draws = 4000
		second := 0
		for range draws {
			second += draw([]float64{-700, -700 + math.Log(3)}, test.temperature, r)
		}
		if got := float64(second) / draws; math.Abs(got-test.want) > 0.03 {
			t.Errorf("temperature %v: %v, want %v", test.temperature, got, test.want)
		}
	}
}

func TestGenerateReadsOn(t *testing.T) {
	// The state after a word is what the next one is drawn from: a text goes on as it would after reading all that is there at once.
	torchtest.Scope(t)
	g, err := genotype.LookupRecurrent("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	const tokens, units = 40, 16
	torch.ManualSeed(2)
	net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{LanguageOptions: cells.LanguageOptions{Tokens: tokens, Units: units}})
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { net.Weights().W.MulScalar_(20) }) // the first weights hardly differ from 0
	m := &LanguageModel{Words: make([]string, tokens), net: net, units: units}
	generate := func(n int, prompt []int) (text []int) {
		all, err := m.Generate(prompt, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for token := range all {
			if text = append(text, token); len(text) == n {
				break
			}
		}
		return text
	}
	text := generate(12, []int{3, 1})
	for k := range text {
		if got := generate(1, append([]int{3, 1}, text[:k]...)); got[0] != text[k] {
			t.Errorf("after %d words comes %d, in one go %d", k, got[0], text[k])
		}
	}
	if slices.Max(text) == slices.Min(text) {
		t.Error("always the same word, which shows nothing")
	}
}
