package model

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"godarts/cells"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// LanguageModel is a trained language model with its dictionary. Like its tensors, it stays with the
// goroutine that loaded it.
type LanguageModel struct {
	Words []string // by token

	net    *cells.RecurrentNetwork
	number map[string]int
	units  int
	to     torch.Options
}

// LoadLanguageModel loads the trained language model of a run folder or an export. A run has its dictionary
// in the text of its config, which has to be there. The tensors belong to the current scope: call
// LoadLanguageModel and Generate within torch.Do.
func LoadLanguageModel(dir string, device torch.Device) (*LanguageModel, error) {
	c, err := TrainedConfig(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nas: %s has no trained network: %w", dir, err)
	}
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := describedIn(st, file)
	if err != nil {
		return nil, err
	}
	if about.Units == 0 {
		return nil, fmt.Errorf("nas: %s is of a network of images, want a language model", file)
	}
	m := &LanguageModel{Words: about.Words, number: map[string]int{}, units: about.Units}
	if m.Words == nil {
		if m.Words, err = dictionary(c, about); err != nil {
			return nil, fmt.Errorf("nas: the dictionary of %s: %w", file, err)
		}
	}
	for i, word := range m.Words {
		m.number[word] = i
	}
	dtype, _, err := st.Info("encoder.weight")
	if err != nil {
		return nil, err
	}
	m.to = torch.Options{Dtype: dtype, Device: device}
	m.net, err = cells.NewRecurrentNetwork(about.Genotype, cells.RecurrentOptions{LanguageOptions: cells.LanguageOptions{
		Tokens: len(m.Words), Units: about.Units, Options: m.to,
	}})
	if err != nil {
		return nil, fmt.Errorf("nas: %s: %w", file, err)
	}
	return m, LoadWeights(m.net, file)
}

// Words of a text that end a sentence, and that stand for rare words.
const (
	EndOfSentence = "<eos>"
	rareWord      = "<unk>"
)

// Tokens returns the tokens of the words of a text, which white space separates. A line ends a sentence,
// except the last. A word that the dictionary lacks is "<unk>" if that is in the dictionary, else an error
// that names the nearest word.
func (m *LanguageModel) Tokens(text string) (tokens []int, err error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		words := strings.Fields(line)
		if i+1 < len(lines) {
			words = append(words, EndOfSentence)
		}
		for _, word := range words {
			token, ok := m.number[word]
			if !ok {
				token, ok = m.number[rareWord]
			}
			if !ok {
				return nil, fmt.Errorf("nas: generate: the model knows no word %s, the nearest is %s", names.Quote(word, 40), names.Quote(names.Nearest(word, m.Words), 40))
			}
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

// Generate goes on with a text: it draws each next token from the model's probabilities, and reads it. The
// logits are divided by temperature before: below 1 likely words become more likely; at 0 the likeliest is
// taken and nothing is drawn. Without a prompt the text begins a sentence.
func (m *LanguageModel) Generate(prompt []int, temperature float64, r *rand.Rand) (iter.Seq[int], error) {
	if !(temperature >= 0) || math.IsInf(temperature, 1) {
		return nil, fmt.Errorf("nas: generate: a temperature of %v, want 0 or more", temperature)
	}
	if len(prompt) == 0 {
		prompt = []int{m.number[EndOfSentence]}
	}
	for _, token := range prompt {
		if token < 0 || token >= len(m.Words) {
			return nil, fmt.Errorf("nas: generate: token %d, the model has %d words", token, len(m.Words))
		}
	}
	return func(yield func(int) bool) {
		torch.Scoped(func() {
			hidden := torch.Zeros([]int{1, 1, m.units}, m.to)
			for read := prompt; ; {
				next := draw(m.read(read, hidden), temperature, r)
				if !yield(next) {
					return
				}
				read = []int{next}
			}
		})
	}, nil
}

// read passes tokens through the network, moves the state hidden on, and returns the logits after the last.
func (m *LanguageModel) read(tokens []int, hidden torch.Tensor) (logits []float64) {
	torch.Scoped(func() {
		torch.NoGrad(func() {
			to := torch.Options{Dtype: torch.Int64, Device: m.to.Device}
			x := make([]int64, len(tokens))
			for i, token := range tokens {
				x[i] = int64(token)
			}
			y := torch.Zeros([]int{len(tokens)}, to) // the loss is not used
			out := m.net.Forward(nn.Batch{X: torch.FromSliceTo(x, []int{len(x), 1}, to), Y: y, Hidden: hidden}, nn.Mode{})
			hidden.Copy_(out.Hidden)
			logits = out.Logits.Select(0, len(tokens)-1).Float64s()
		})
	})
	return logits
}

// draw draws an index with probability softmax(logits/temperature), or takes the largest at 0.
func draw(logits []float64, temperature float64, r *rand.Rand) int {
	largest := slices.Max(logits)
	if temperature == 0 {
		return slices.Index(logits, largest)
	}
	sum := 0.
	for i, v := range logits {
		logits[i] = math.Exp((v - largest) / temperature)
		sum += logits[i]
	}
	at := r.Float64() * sum
	for i, v := range logits {
		if at -= v; at < 0 {
			return i
		}
	}
	return slices.Index(logits, slices.Max(logits)) // rounding left a rest
}
