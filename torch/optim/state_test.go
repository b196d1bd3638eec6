package optim

import (
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestLoadStateDictRejects(t *testing.T) {
	// LoadStateDict says what does not fit and changes nothing when names, shapes or values are wrong.
	number := func(v float64) torch.Tensor { return torch.Scalar(v, torch.Options{Dtype: torch.Float64}) }
	cases := []struct {
		name string
		kind int
		edit func(sd torch.StateDict)
		want string
	}{
		{"missing buffer", 0, func(sd torch.StateDict) { delete(sd, "momentum_buffer.1") },
			`of SGD: "momentum_buffer.1" is missing`},
		{"zero Tensor", 0, func(sd torch.StateDict) { sd["lr"] = torch.Tensor{} }, `of SGD: "lr" is missing`},
		{"shape of buffer", 0, func(sd torch.StateDict) { sd["momentum_buffer.0"] = vector(1, 2, 3) },
			`of SGD: "momentum_buffer.0" has shape [3], want [2]`},
		{"shape of number", 0, func(sd torch.StateDict) { sd["lr"] = vector(1) }, `of SGD: "lr" has shape [1], want []`},
		{"several", 0, func(sd torch.StateDict) {
			sd["momentum_buffer.2"], sd["momentum_buffer.0"] = vector(1), vector(1)
			delete(sd, "weight_decay")
		}, `of SGD: "weight_decay" is missing; "momentum_buffer.2" is unexpected; "momentum_buffer.0" has shape [1], want [2]`},
		{"another optimizer's", 3, func(sd torch.StateDict) {
			clear(sd)
			sd["momentum_buffer.0"] = vector(1, 2)
		}, `of Adam: "beta1" is missing; "beta2" is missing; "eps" is missing; "exp_avg.0" is missing; and 7 more`},
		{"no momentum", 0, func(sd torch.StateDict) { sd["momentum"] = number(0) },
			"of SGD: one of the optimizers has momentum, the other none"},
		{"value", 0, func(sd torch.StateDict) { sd["lr"] = number(-1) }, "of SGD: lr is -1, want a number that is 0 or more"},
		{"beta", 3, func(sd torch.StateDict) { sd["beta2"] = number(1) }, "of Adam: beta2 is 1, want 0 <= beta < 1"},
		{"fraction of a step", 3, func(sd torch.StateDict) { sd["step"] = number(1.5) },
			"of Adam: step is 1.5, want a whole number that is 0 or more"},
		{"steps not a number", 4, func(sd torch.StateDict) { sd["step"] = number(math.NaN()) },
			"of ASGD: step is NaN, want a whole number that is 0 or more"},
		{"mu", 4, func(sd torch.StateDict) { sd["mu"] = number(0) }, "of ASGD: mu is 0, want 0 < mu <= 1"},
		{"eta", 4, func(sd torch.StateDict) { sd["eta"] = number(-1) }, "of ASGD: eta is -1, want a number that is 0 or more"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Scope(t)
			mine := kinds[c.kind].make([]torch.Tensor{vector(1, 2), vector(3)})
			other := kinds[c.kind].make([]torch.Tensor{vector(1, 2), vector(3)})
			mine.Step(vector(1, 1), vector(1))
			before := torch.StateDict{}
			for name, v := range mine.StateDict() {
				before[name] = v.Clone()
			}
			other.SetLR(0.7)
			other.Step(vector(5, 5), vector(5))
			sd := other.StateDict()
			c.edit(sd)
			err := mine.LoadStateDict(sd)
			if err == nil || err.Error() != "optim: load state dict "+c.want {
				t.Errorf("error %q, want %q", err, "optim: load state dict "+c.want)
			}
			wantSameState(t, mine.StateDict(), before)
		})
	}
}

func TestLoadStateDictOfMomentumWithoutBuffers(t *testing.T) {
	// LoadStateDict reports the buffers as missing when the saved optimizer had no momentum.
	torchtest.Scope(t)
	plain := NewSGD([]torch.Tensor{vector(1)}, SGDOptions{LR: 0.1})
	s := NewSGD([]torch.Tensor{vector(1)}, SGDOptions{LR: 0.2, Momentum: 0.9})
	err := s.LoadStateDict(plain.StateDict())
	if want := `optim: load state dict of SGD: "momentum_buffer.0" is missing`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if s.LR() != 0.2 {
		t.Errorf("learning rate became %g", s.LR())
	}
}

func TestPow(t *testing.T) {
	// pow gives the float64 nearest to x^y when the powers are Adam's; the values are from exact fractions.
	cases := []struct{ x, y, want float64 }{
		{0.9, 3, 0x1.753f7ced91688p-1},
		{0.9, 11, 0x1.4157909d61176p-2},
		{0.999, 7, 0x1.fc6d3e72229bcp-1},
		{0.999, 1000, 0x1.788526411ed72p-2},
		{0.999, 12345, 0x1.22391fb94567ep-18},
		{0.5, 30, 0x1p-30},
		{0, 1, 0},
		{1, 0.75, 1},
		{6.25, 0.5, 2.5},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%g^%g", c.x, c.y), func(t *testing.T) {
			torchtest.Scope(t)
			if got := pow(c.x, torch.Scalar(c.y, torch.Options{Dtype: torch.Float64})).Item(); got != c.want {
				t.Errorf("got %x, want %x", got, c.want)
			}
		})
	}
}
