package onnx

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/nas/finite"
)

// LanguageModel describes a language model around a recurrent cell.
type LanguageModel struct {
	Genotype   genotype.Genotype
	Units      int      // of an embedded word and of the state
	Tokens     int      // words of the dictionary
	Words      []string // the dictionary, by token; may be nil
	Dictionary string   // a checksum of it; may be empty
}

// Language returns the ONNX file of a language model with these weights. The model takes tokens [steps,
// columns] of any sizes and the state before them, and returns logits [steps, columns, words] and the state
// after them. Metadata have the dictionary as a JSON list "words", if there is one.
//
// It returns an error if a weight is missing or does not fit.
func Language(n LanguageModel, w Weights, o Options) ([]byte, error) {
	m, err := n.model(w, o)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	file, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return file, nil
}

// Sizes that a caller chooses.
var steps, columns = dim{name: "steps"}, dim{name: "columns"}

// model builds and checks the graph.
func (n LanguageModel) model(w Weights, o Options) (*model, error) {
	if err := n.Genotype.Check(); err != nil {
		return nil, fmt.Errorf("genotype: %w", err)
	}
	if !n.Genotype.IsRecurrent() || n.Words != nil && len(n.Words) != n.Tokens {
		return nil, fmt.Errorf("no language model has %d words for %d tokens around %v", len(n.Words), n.Tokens, n.Genotype)
	}
	b, root := newBuilder("language_model", w, o)
	units := dim{size: n.Units}
	state := []dim{{size: 1}, columns, units}
	b.model.inputs = []port{
		{TokensInput, "numbers of words: a text goes down a column", int64Element, []dim{steps, columns}},
		{HiddenInput, "the state before the first token: zeros, or what the call before returned", float32Element, state},
	}
	first := b.integers("constants.first_dimension", 0)
	encoder := root.At("encoder").Weight("weight")
	words := root.At("encoder").Node("Gather", []string{encoder, TokensInput}, Int("axis", 0))
	before := root.At("rnns.0.before").Node("Squeeze", []string{HiddenInput, first})
	after := root.At("rnns.0").nodes("Scan", []string{before, words}, []string{"rnns.0.after", "rnns.0"},
		bodyOf("body", n.step(root.At("rnns.0"))), Int("num_scan_inputs", 1))
	hidden := root.At(HiddenOutput).Node("Unsqueeze", []string{after[0], first})

	decoder := root.At("decoder") // its matrix is the encoder's
	matrix := decoder.At("transposed").Node("Transpose", []string{encoder}, Ints("perm", 1, 0))
	product := decoder.At("product").Node("MatMul", []string{after[1], matrix})
	logits := root.At(LogitsOutput).Node("Add", []string{product, decoder.Weight("bias")})
	b.model.outputs = []port{
		root.output(logits, o, []dim{steps, columns, {size: n.Tokens}}),
		{hidden, "the state after the last token", float32Element, state},
	}
	metadata, err := n.metadata()
	if err == nil {
		err = b.finish()
	}
	return &model{graph: b.model, metadata: metadata, doc: fmt.Sprintf("predicts the next of %d words", n.Tokens)}, err
}

// step returns the graph of one time step, which Scan runs for each token: it maps the state and the
// embedded words to the next state, twice, since Scan passes one on and collects the other.
func (n LanguageModel) step(s Scope) *graph {
	s.graph = &graph{name: "step"}
	of := []dim{columns, {size: n.Units}}
	h, x := s.name("state"), s.name("words")
	s.graph.inputs = []port{{h, "", float32Element, of}, {x, "", float32Element, of}}

	xh := s.At("words_and_state").Node("Concat", []string{x, h}, Int("axis", 1))
	states := []string{s.At("state_0").gate(h, xh, s.Weight("_W0"), genotype.ActTanh)}
	cell := n.Genotype.Recurrent
	for i, e := range cell.Edges {
		from := states[e.From]
		states = append(states, s.At(fmt.Sprintf("state_%d", i+1)).gate(from, from, s.Weight(fmt.Sprintf("_Ws.%d", i)), e.Op))
	}
	var joined []string
	for _, state := range cell.Concat {
		joined = append(joined, states[state])
	}
	count := s.b.constant(Tensor{Name: s.name("states_joined"), Shape: []int{}, Floats: []float32{float32(len(joined))}})
	next := s.At("next").Node("Div", []string{s.At("sum").Node("Sum", joined), count})
	output := s.At("output").Node("Identity", []string{next})
	s.graph.outputs = []port{{next, "", float32Element, of}, {output, "", float32Element, of}}
	return s.graph
}

// gate adds s + σ(c)∘(f − s) at its place: the halves of x·w are the gate c and the candidate of f.
func (s Scope) gate(state, x, w string, activation genotype.Op) string {
	product := s.At("product").Node("MatMul", []string{x, w})
	halves := s.At("halves").nodes("Split", []string{product}, []string{s.name("gate"), s.name("candidate")}, Int("axis", 1))
	open := s.At("open").Node("Sigmoid", []string{halves[0]})
	candidate := s.At("activation").activation(activation, halves[1])
	change := s.At("change").Node("Sub", []string{candidate, state})
	return s.Node("Add", []string{state, s.At("gated").Node("Mul", []string{open, change})})
}

// activation adds the function of an operation of a recurrent cell.
func (s Scope) activation(op genotype.Op, x string) string {
	switch op {
	case genotype.ActTanh:
		return s.Node("Tanh", []string{x})
	case genotype.ActReLU:
		return s.ReLU(x)
	case genotype.ActSigmoid:
		return s.Node("Sigmoid", []string{x})
	case genotype.ActIdentity:
		return x
	}
	s.b.fail("%q is no activation of a recurrent cell", op)
	return x
}

// metadata describes the model for programs that run it.
func (n LanguageModel) metadata() ([]property, error) {
	all := []property{{"genotype", n.Genotype.String()}}
	if n.Dictionary != "" {
		all = append(all, property{"dictionary", n.Dictionary})
	}
	if n.Words != nil {
		words, err := finite.Marshal(n.Words)
		if err != nil {
			return nil, err
		}
		all = append(all, property{"words", string(words)})
	}
	return all, nil
}
