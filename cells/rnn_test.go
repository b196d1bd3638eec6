package cells

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestRecurrentRecordings(t *testing.T) {
	// The evaluation network gives the reference's outputs and gradients when it has its weights, in either form.
	for _, file := range []string{"rnn_eval_darts_v2", "rnn_eval_enas"} {
		for _, dtype := range []torch.Dtype{torch.Float64, torch.Float32} {
			for form, plain := range map[string]bool{"plain": true, "fast": false} {
				t.Run(file+"/"+dtype.String()+"/"+form, func(t *testing.T) {
					torchtest.Scope(t)
					replayRecurrent(t, file, torch.Options{Dtype: dtype}, plain)
				})
			}
		}
	}
}

func replayRecurrent(t *testing.T, file string, o torch.Options, plain bool) {
	golden := torchtest.Golden(t, torchtest.Fixture(t, file+".safetensors"))
	load := func(name string, o torch.Options) torch.Tensor {
		x, err := golden.Load(name, o)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	compare := func(name string, got torch.Tensor) {
		t.Helper()
		tolerance := torchtest.Float32
		if o.Dtype == torch.Float64 {
			tolerance = torchtest.Float64
			if stored, _, err := golden.Info(name); err != nil || stored != torch.Float64 {
				tolerance = torchtest.StoredFloat32
			}
		}
		torchtest.Close(t, name, got, load(name, torch.Options{Dtype: torch.Float64}), tolerance)
	}
	number := func(key string) float64 {
		v, err := strconv.ParseFloat(golden.Metadata()[key], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	g, err := genotype.Parse(golden.Metadata()["genotype"])
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewRecurrentNetwork(g, RecurrentOptions{Plain: plain, LanguageOptions: LanguageOptions{
		Tokens: int(number("ntoken")), Units: int(number("nhid")), TAR: number("beta"), Options: o,
	}})
	if err != nil {
		t.Fatal(err)
	}
	state := torch.StateDict{}
	gradients := 0
	for _, name := range golden.Names() {
		if short, ok := strings.CutPrefix(name, "init."); ok {
			state[short] = load(name, o)
		}
		if strings.HasPrefix(name, "grad.") {
			gradients++
		}
	}
	if err := n.LoadStateDict(state); err != nil {
		t.Fatal(err)
	}
	integers := torch.Options{Dtype: torch.Int64}
	b := nn.Batch{X: load("input", integers), Y: load("target", integers), Hidden: load("hidden", o)}
	shape := load("log_prob", o).Shape()

	compare("log_prob", n.Forward(b, nn.Mode{Training: true}).Logits.Detach().LogSoftmax(-1).View(shape...))
	gradient := torch.Empty(n.Weights().W.Shape(), o)
	out := n.Gradients(b, gradient)
	compare("raw_loss", out.Loss)
	compare("loss", out.Loss.Add(out.Penalty))
	compare("hidden_next", out.Hidden)
	views := n.Weights().Views(gradient)
	if len(views) != gradients {
		t.Errorf("%d parameters, recorded are the gradients of %d", len(views), gradients)
	}
	for name, d := range views {
		compare("grad."+name, d)
	}
	torch.NoGrad(func() {
		compare("eval_log_prob", n.Forward(b, nn.Mode{}).Logits.LogSoftmax(-1).View(shape...))
	})
}

func TestRecurrentSizes(t *testing.T) {
	// The networks have the published number of weights when they have the paper's sizes.
	torchtest.Scope(t)
	for _, test := range []struct {
		name          string
		tokens, units int
		want          int
	}{
		{"Penn Treebank", 10_000, 850, 22_960_000}, {"WikiText-2", 33_278, 700, 33_127_878},
	} {
		torch.Scoped(func() {
			g, err := genotype.LookupRecurrent("DARTS_V2")
			if err != nil {
				t.Fatal(err)
			}
			n, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: LanguageOptions{Tokens: test.tokens, Units: test.units}})
			if err != nil {
				t.Fatal(err)
			}
			if got := n.ParameterCount(); got != test.want {
				t.Errorf("%s: %d weights, want %d", test.name, got, test.want)
			}
		})
	}
}

func TestMasks(t *testing.T) {
	// Masks hold 0 and 1/(1−p) in the right share, come from the stream in the order word, embedding, input, state and output, and are the same for the same stream, when drawn.
	torchtest.Scope(t)
	o := LanguageOptions{Tokens: 4000, Units: 50, Dropout: Dropout{0.75, 0.25, 0.6, 0.2, 0.1}}
	b := nn.Batch{X: torch.Zeros([]int{1, 80}, torch.Options{Dtype: torch.Int64})}
	stream := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	b.Masks = RowsOf(o.DrawMasks(80, stream(), stream()))
	m, again := o.masks(b), o.masks(b)
	r := stream()
	for _, test := range []struct {
		name        string
		mask, again torch.Tensor
		p           float64
		rows        int
	}{
		{"word", m.Word, again.Word, 0.1, 4000}, {"embedding", m.Embedding, again.Embedding, 0.2, 80}, {"input", m.Input, again.Input, 0.6, 80},
		{"state", m.State, again.State, 0.25, 80}, {"output", m.Output, again.Output, 0.75, 80},
	} {
		values := test.mask.Float32s()
		kept := 0
		for i, v := range values {
			if keeps := r.Float64() >= test.p; keeps != (v != 0) {
				t.Fatalf("%s: number %d is %g, the stream keeps it: %v", test.name, i, v, keeps)
			}
			switch v {
			case 0:
			case float32(1 / (1 - test.p)):
				kept++
			default:
				t.Fatalf("%s: a mask holds %g", test.name, v)
			}
		}
		share, deviation := float64(kept)/float64(len(values)), math.Sqrt(test.p*(1-test.p)/float64(len(values)))
		if math.Abs(share-(1-test.p)) > 4*deviation || test.mask.Size(0) != test.rows {
			t.Errorf("%s: %d rows, a share of %g is kept", test.name, test.mask.Size(0), share)
		}
		torchtest.Close(t, test.name, test.again, test.mask, 0)
	}
	b.X = torch.Zeros([]int{1, 79}, torch.Options{Dtype: torch.Int64})
	b.Masks = RowsOf(o.DrawMasks(80, stream()))
	err := torch.Do(func() error { o.masks(b); return nil })
	if want := "torch: cells.Language: masks of shape [20000], wanted [19800]"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	o.Dropout = Dropout{}
	if rows := o.DrawMasks(80, stream()); rows.Defined() || RowsOf(rows) != nil || o.masks(b) != (Masks{}) {
		t.Error("there are masks without dropout")
	}
}

func TestDropoutFormula(t *testing.T) {
	// Logits, the state and the penalty equal the formulas, written out number by number, when every dropout is on.
	torchtest.Scope(t)
	const steps, columns, units, tokens = 3, 2, 4, 5
	o := RecurrentOptions{LanguageOptions: LanguageOptions{
		Tokens: tokens, Units: units, Dropout: Dropout{0.4, 0.3, 0.2, 0.1, 0.3}, AR: 2, TAR: 3, Options: float64s,
	}}
	g := genotype.Genotype{Recurrent: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActTanh, From: 0}, {Op: genotype.ActSigmoid, From: 0}, {Op: genotype.ActReLU, From: 2}, {Op: genotype.ActIdentity, From: 1}}, Concat: []int{1, 3, 4}}}
	n, err := NewRecurrentNetwork(g, o)
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { n.Weights().W.MulScalar_(20) })
	integers := torch.Options{Dtype: torch.Int64}
	b := nn.Batch{
		X: torch.RandInt(0, tokens, []int{steps, columns}, integers), Y: torch.RandInt(0, tokens, []int{steps * columns}, integers),
		Hidden: torch.Randn([]int{1, columns, units}, float64s), Masks: masksOf(o.LanguageOptions, columns, 1),
	}
	m := o.masks(b)
	out := n.Forward(b, nn.Mode{Training: true})

	table := func(x torch.Tensor) func(row, column int) float64 {
		values, width := x.Detach().Float64s(), x.Size(-1)
		return func(row, column int) float64 { return values[row*width+column] }
	}
	product := func(w func(int, int) float64, x []float64) []float64 {
		y := make([]float64, 2*units)
		for i := range y {
			for j, v := range x {
				y[i] += v * w(j, i)
			}
		}
		return y
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	functions := map[genotype.Op]func(float64) float64{
		genotype.ActTanh: math.Tanh, genotype.ActSigmoid: sigmoid, genotype.ActReLU: func(x float64) float64 { return max(x, 0) }, genotype.ActIdentity: func(x float64) float64 { return x },
	}
	gated := func(s, ch []float64, f func(float64) float64) []float64 {
		next := make([]float64, units)
		for i := range next {
			next[i] = s[i] + sigmoid(ch[i])*(f(ch[units+i])-s[i])
		}
		return next
	}
	times := func(x []float64, mask func(int, int) float64, column int) []float64 {
		y := make([]float64, len(x))
		for i := range y {
			y[i] = x[i] * mask(column, i)
		}
		return y
	}
	encoder, bias, w0 := table(n.Encoder.Tensor), table(n.Bias.Unsqueeze(0)), table(n.W0.Tensor)
	word, embedding, input, state, output := table(m.Word), table(m.Embedding), table(m.Input), table(m.State), table(m.Output)
	first, words := table(b.Hidden.Select(0, 0)), b.X.Int64s()
	logits := make([]float64, steps*columns*tokens)
	var hidden []float64
	var activation, slowness float64
	for column := range columns {
		h := make([]float64, units)
		for i := range h {
			h[i] = first(column, i)
		}
		for step := range steps {
			x := make([]float64, units)
			token := int(words[step*columns+column])
			for i := range x {
				x[i] = encoder(token, i) * word(token, 0) * embedding(column, i)
			}
			states := [][]float64{gated(h, product(w0, append(times(x, input, column), times(h, state, column)...)), math.Tanh)}
			for i, e := range g.Recurrent.Edges {
				from := states[e.From]
				states = append(states, gated(from, product(table(n.Ws[i].Tensor), times(from, state, column)), functions[e.Op]))
			}
			next := make([]float64, units)
			for i := range next {
				for _, s := range g.Recurrent.Concat {
					next[i] += states[s][i] / float64(len(g.Recurrent.Concat))
				}
				if step > 0 {
					slowness += (next[i] - h[i]) * (next[i] - h[i]) / ((steps - 1) * columns * units)
				}
			}
			h = next
			dropped := times(h, output, column)
			for token := range tokens {
				at := (step*columns+column)*tokens + token
				logits[at] = bias(0, token)
				for i, v := range dropped {
					logits[at] += v * encoder(token, i)
				}
			}
			for _, v := range dropped {
				activation += v * v / (steps * columns * units)
			}
		}
		hidden = append(hidden, h...)
	}
	torchtest.Close(t, "logits", out.Logits.Detach(), torch.FromSlice(logits, steps*columns, tokens), 1e-12)
	torchtest.Close(t, "hidden", out.Hidden, torch.FromSlice(hidden, 1, columns, units), 1e-12)
	torchtest.Close(t, "penalty", out.Penalty.Detach(), torch.Scalar(2*activation+3*slowness, float64s), 1e-12)
}
