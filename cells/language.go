package cells

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// LanguageOptions are the sizes of a language model and its regularisation. The paper has 300 units in the search of
// Penn Treebank, 850 in training.
type LanguageOptions struct {
	Tokens  int // words of the dictionary, V
	Units   int // E = H, of an embedded word and of the state
	Dropout Dropout
	AR      float64 // activation regularization: coefficient of the mean square of the outputs after dropout, in training
	TAR     float64 // temporal activation regularization: of the mean square of the change from step to step, in training
	torch.Options
}

// Dropout are the probabilities of dropping in training. What is kept is scaled by 1/(1 − p). A pass draws each mask
// once for all time steps.
type Dropout struct {
	Output    float64 // units of the cell's output
	State     float64 // units of the states inside of the cell's products
	Input     float64 // units of the input inside of the cell's first product
	Embedding float64 // units of the embedded words
	Word      float64 // words: all occurrences of one alike
}

// Check returns an error if no language model has these options.
func (o LanguageOptions) Check() error {
	if o.Tokens < 2 {
		return fmt.Errorf("cells: language model: %d tokens, want at least 2", o.Tokens)
	}
	if o.Units < 1 {
		return fmt.Errorf("cells: language model: %d units, want at least 1", o.Units)
	}
	for _, p := range []struct {
		name string
		p    float64
	}{
		{"output", o.Dropout.Output}, {"state", o.Dropout.State}, {"input", o.Dropout.Input},
		{"embedding", o.Dropout.Embedding}, {"word", o.Dropout.Word},
	} {
		if !(p.p >= 0 && p.p < 1) {
			return fmt.Errorf("cells: language model: %s dropout %g, want 0 <= p < 1", p.name, p.p)
		}
	}
	return nil
}

// Language is a language model around a recurrent cell. A matrix embeds the words, the cell reads them step by step,
// and the same matrix maps the cell's outputs to logits. Reference rnn/model.py RNNModel.
type Language struct {
	o       LanguageOptions
	weights *nn.Weights

	Encoder *nn.Parameter   // [tokens,units], of the decoder too
	W0      *nn.Parameter   // [2·units,2·units]: of input and state to the gate and the candidate of state 0
	Ws      []*nn.Parameter // [units,2·units] of each node
	Bias    *nn.Parameter   // [tokens], of the decoder
}

// Names of the tied matrix, and the path of the cell.
const (
	encoderName = "encoder.weight"
	decoderName = "decoder.weight"
	cellName    = "rnns.0"
)

// firstRange bounds the initial weights.
const firstRange = 0.04

// NewLanguage makes a language model around a cell of that many nodes, with weights drawn from the default generator
// in the reference's order. cell, unless nil, registers further parameters of the cell. The tensors belong to the
// present scope.
func NewLanguage(nodes int, o LanguageOptions, cell func(nn.Path)) (*Language, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if nodes < 0 || nodes > genotype.MaxNodes {
		return nil, fmt.Errorf("cells: language model: %d nodes, want 0 to %d", nodes, genotype.MaxNodes)
	}
	var b nn.Builder
	root := b.Root()
	l := &Language{o: o}
	matrix := []int{o.Tokens, o.Units}
	embedding := torch.Randn(matrix, torch.Options{}) // as torch.nn.Embedding draws; overwritten below
	l.Encoder = root.At("encoder").Parameter("weight", embedding)
	place := root.At(cellName)
	l.W0 = place.Parameter("_W0", nn.Uniform([]int{2 * o.Units, 2 * o.Units}, firstRange))
	for i := range nodes {
		l.Ws = append(l.Ws, place.At("_Ws").Parameter(fmt.Sprint(i), nn.Uniform([]int{o.Units, 2 * o.Units}, firstRange)))
	}
	if cell != nil {
		cell(place)
	}
	torch.Scoped(func() { // the reference's decoder draws its first weights before it is tied, and after that the matrix twice
		nn.NewLinear(new(nn.Builder).Root(), o.Units, o.Tokens)
		embedding.Uniform_(-firstRange, firstRange)
		embedding.Uniform_(-firstRange, firstRange)
	})
	l.Bias = root.At("decoder").Parameter("bias", torch.Zeros([]int{o.Tokens}, torch.Options{}))
	l.weights = b.Build(o.Options)
	return l, nil
}

// Options returns the options that the model was made with.
func (l *Language) Options() LanguageOptions { return l.o }

// Weights returns the storage of parameters and running statistics.
func (l *Language) Weights() *nn.Weights { return l.weights }

// Tied views the part of a vector like w [P] that is the matrix of both the embedding and the decoder.
func (l *Language) Tied(w torch.Tensor) torch.Tensor {
	return w.Narrow(0, 0, l.o.Tokens*l.o.Units) // it is registered first
}

// StateDict implements nn.Module. The tied matrix has both of its names, as in PyTorch.
func (l *Language) StateDict() torch.StateDict {
	sd := l.weights.StateDict()
	sd[decoderName] = sd[encoderName]
	return sd
}

// LoadStateDict implements nn.Module. The tied matrix may be there under both of its names, equal, or only as
// "encoder.weight".
func (l *Language) LoadStateDict(sd torch.StateDict) error {
	rest := maps.Clone(sd)
	if decoder, ok := sd[decoderName]; ok {
		delete(rest, decoderName)
		if encoder, ok := sd[encoderName]; ok && !same(encoder, decoder) {
			return errors.New("cells: load state dict: \"" + decoderName + "\" is not \"" + encoderName + "\": they are one matrix here")
		}
	}
	return l.weights.LoadStateDict(rest)
}

// CheckStateDict returns LoadStateDict's error for entries of these names and shapes, as far as they show it.
func (l *Language) CheckStateDict(shapes map[string][]int) error {
	rest := maps.Clone(shapes)
	delete(rest, decoderName)
	return l.weights.CheckStateDict(rest)
}

func same(a, b torch.Tensor) (equal bool) {
	if fmt.Sprint(a.Shape()) != fmt.Sprint(b.Shape()) {
		return false
	}
	torch.Scoped(func() {
		torch.NoGrad(func() { equal = a.Ne(b).ToDtype(torch.Float32).Sum().Item() == 0 })
	})
	return equal
}

// checkBatch panics with *torch.Error unless b has words [T,B], a target for each, and a state that fits, if any.
func (o LanguageOptions) checkBatch(b nn.Batch) {
	shape := b.X.Shape()
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		torch.Misuse("cells.Language", "words of shape %v, wanted [steps,columns]", shape)
	}
	if n := b.Y.Numel(); n != shape[0]*shape[1] {
		torch.Misuse("cells.Language", "%d targets for words of shape %v", n, shape)
	}
	if want := []int{1, shape[1], o.Units}; b.Hidden.Defined() && !slices.Equal(b.Hidden.Shape(), want) {
		torch.Misuse("cells.Language", "a state of shape %v, wanted %v", b.Hidden.Shape(), want)
	}
}

// Step is one time step of a cell. It maps the embedded words x [B,units] and the state h [B,units] to the next
// state.
type Step func(x, h torch.Tensor) torch.Tensor

// Pass runs b through the model in the plain form, with the cell that step makes for the masks. Logits are
// [T·B,tokens]. The graph is autograd's. All tensors belong to the present scope.
func (l *Language) Pass(b nn.Batch, m nn.Mode, step func(Masks) Step) nn.Output {
	l.o.checkBatch(b)
	torch.NeedFunction("cells.Language", step == nil)
	var masks Masks
	if m.Training {
		masks = l.o.masks(b)
	}
	words := torch.Embedding(masked(l.Encoder.Tensor, masks.Word), b.X) // [T,B,E]
	words = masked(words, masks.Embedding)
	cell := step(masks)
	torch.NeedFunction("cells.Language", cell == nil)
	h := l.initialState(b)
	var outputs []torch.Tensor
	for t := range b.X.Size(0) {
		h = cell(words.Select(0, t), h)
		outputs = append(outputs, h)
	}
	raw := torch.Stack(outputs, 0) // [T,B,H]
	dropped := masked(raw, masks.Output)
	out := nn.Output{Hidden: h.Detach().Unsqueeze(0)}
	out.Logits = torch.Linear(dropped.View(-1, l.o.Units), l.Encoder.Tensor, l.Bias.Tensor)
	out.Loss = torch.CrossEntropy(out.Logits, b.Y, torch.CrossEntropyOptions{})
	if m.Training {
		out.Penalty = l.penalty(raw, dropped)
	}
	return out
}

// initialState returns the state before the first token [B,units].
func (l *Language) initialState(b nn.Batch) torch.Tensor {
	if b.Hidden.Defined() {
		return b.Hidden.Select(0, 0)
	}
	return torch.Zeros([]int{b.X.Size(1), l.o.Units}, l.o.Options)
}

// penalty is what AR and TAR add to the loss. AR takes the outputs after dropout, TAR those before it. Merity, McCann,
// Socher: Revisiting Activation Regularization for Language RNNs, arXiv 1708.01009.
func (l *Language) penalty(raw, dropped torch.Tensor) torch.Tensor {
	sum := torch.Scalar(0, l.o.Options)
	if l.o.AR != 0 {
		sum = sum.AddScaled(dropped.Square().Mean(), l.o.AR)
	}
	if last := raw.Size(0) - 1; l.o.TAR != 0 && last > 0 {
		sum = sum.AddScaled(raw.Narrow(0, 1, last).Sub(raw.Narrow(0, 0, last)).Square().Mean(), l.o.TAR)
	}
	return sum
}

// Gate returns s + σ(c)∘(f − s). The gate c and the candidate are the halves of ch [...,2·units]; f is the activation
// of the candidate.
func Gate(s, ch torch.Tensor, activation func(torch.Tensor) torch.Tensor) torch.Tensor {
	torch.NeedFunction("cells.Language", activation == nil)
	units := s.Size(-1)
	gate, candidate := ch.Narrow(-1, 0, units).Sigmoid(), ch.Narrow(-1, units, units)
	return s.Add(gate.Mul(activation(candidate).Sub(s)))
}

// State0 computes the state that the nodes of a cell start from. The mask of the state acts only inside of the
// product. Reference rnn/model.py DARTSCell _compute_init_state.
func (l *Language) State0(x, h torch.Tensor, m Masks) torch.Tensor {
	xh := torch.Cat([]torch.Tensor{masked(x, m.Input), masked(h, m.State)}, 1)
	return Gate(h, xh.Mm(l.W0.Tensor), torch.Tensor.Tanh)
}

// Activation returns the function of an operation of a recurrent cell. It panics with *torch.Error for other
// operations: genotypes are validated before.
func Activation(op genotype.Op) func(torch.Tensor) torch.Tensor {
	switch op {
	case genotype.ActTanh:
		return torch.Tensor.Tanh
	case genotype.ActReLU:
		return torch.Tensor.ReLU
	case genotype.ActSigmoid:
		return torch.Tensor.Sigmoid
	case genotype.ActIdentity:
		return func(x torch.Tensor) torch.Tensor { return x }
	}
	torch.Misuse("cells.Activation", "%q is no activation of a recurrent cell", op)
	return nil
}
