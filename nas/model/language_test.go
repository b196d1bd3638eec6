package model_test

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/rng"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// first returns the first n of a sequence.
func first(n int, all iter.Seq[int]) (tokens []int) {
	for token := range all {
		if tokens = append(tokens, token); len(tokens) == n {
			break
		}
	}
	return tokens
}

func TestGenerate(t *testing.T) {
	// A model draws by the seed, writes the same from a run and its export, and refuses words that it does not know.
	root, dir := t.TempDir(), filepath.Join(t.TempDir(), "run")
	for _, name := range []string{"train.txt", "valid.txt", "test.txt"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Repeat("a b c d\nc d e\n", 40)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := fixture.Load(t, "../testdata/tiny-text-train.yaml", "data.name=text", "data.root="+root, "data.tokens=0", "epochs=3")
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	exported := filepath.Join(t.TempDir(), "exported")
	if _, err := model.Export(dir, exported, false); err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	m, err := model.LoadLanguageModel(dir, torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := model.LoadLanguageModel(exported, torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	before := torch.Live()
	generate := func(m *model.LanguageModel, n int, prompt []int, temperature float64, seed int64) []int {
		t.Helper()
		text, err := m.Generate(prompt, temperature, rng.Stream(seed, "test"))
		if err != nil {
			t.Fatal(err)
		}
		return first(n, text)
	}
	prompt, err := m.Tokens("c d e\na b")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, token := range prompt {
		words = append(words, m.Words[token])
	}
	if got := strings.Join(words, " "); got != "c d e <eos> a b" {
		t.Errorf("the prompt is %q", got)
	}
	drawn := generate(m, 60, nil, 1, 3)
	if again := generate(other, 60, nil, 1, 3); !slices.Equal(again, drawn) {
		t.Errorf("the export writes %v, the run %v", again, drawn)
	}
	if another := generate(m, 60, nil, 1, 4); slices.Equal(another, drawn) {
		t.Error("another seed writes the same")
	}
	if left := torch.Live() - before; left != 0 {
		t.Errorf("%d tensors left", left)
	}
	for _, text := range []string{"a zeta", "A"} {
		if _, err := m.Tokens(text); err == nil || !strings.HasPrefix(err.Error(), `nas: generate: the model knows no word "`) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, bad := range []func() error{
		func() error { _, err := m.Generate(nil, -1, nil); return err },
		func() error { _, err := m.Generate([]int{99}, 1, nil); return err },
		func() error { _, err := model.LoadLanguageModel(t.TempDir(), torch.Device{}); return err },
	} {
		if bad() == nil {
			t.Error("no error")
		}
	}
}
